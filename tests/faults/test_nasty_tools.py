"""Tools that misbehave, through the engine end to end: the run ends in a final state, and the world is as it says."""

import time
from pathlib import Path
from typing import Any

import pytest
from tests.world.rig import Rig, a_call

from carapulse.executions.model import ExecutionState, Status

HANG = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(60)"
DAEMON = """
import os, pathlib, time
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        pathlib.Path(sys.argv[1] + ".pid").write_text(str(os.getpid()))
        time.sleep(60)
    os._exit(0)
while not pathlib.Path(sys.argv[1] + ".pid").exists():
    time.sleep(0.01)
"""
BOMB = """
import os, time
for _ in range(30):
    if os.fork() == 0:
        time.sleep(60)
time.sleep(60)
"""
GIGABYTE = """
import os
for _ in range(1024):
    os.write(1, b"x" * 1048576)
"""
GARBAGE = "import os; os.write(2, b'a\\0b \\xff\\xfe \\xed\\xa0\\x80\\n' * 3); import time; time.sleep(0.7)"
TALK = "import sys; sys.stderr.write('word\\n' * 10_500)"


@pytest.fixture
def rig(database, world, tmp_path):
    """Build the application."""
    built = Rig(database.app_url, world, tmp_path / "data", visibility_s=2)
    yield built
    built.close()


def write(action: str = "write", **code: str) -> dict[str, Any]:
    return {"stage": "act", "tool": "nasty", "action": action, "input": {"word": "new", **code}}


def verify(action: str = "read", **code: str) -> dict[str, Any]:
    expected = [{"path": "word", "op": "eq", "value": "new"}]
    step = {"stage": "verify", "tool": "nasty", "action": action, "input": code, "expect": expected}
    return {**step, "retry": {"attempts": 1}}


def lines(rig: Rig, state: ExecutionState) -> list[str]:
    with rig.app.begin(a_call()) as work:
        return [line.line for line in work.executions.lines_after(state.id, 0, 20_000)]


def gone(pid: int) -> bool:
    until = time.monotonic() + 5
    while time.monotonic() < until:
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        except FileNotFoundError:
            return True
        if state == "Z":
            return True
        time.sleep(0.02)
    return False


def test_a_missing_program_fails_the_run_and_undoes_what_came_before(rig):
    missing = {"stage": "act", "tool": "nasty", "action": "vanish", "input": {}}

    state = rig.run(write(), missing, verify())

    assert (state.status, state.left, rig.word.read_text()) == (Status.ROLLED_BACK, (), "old")
    assert state.steps[1].run.error is not None
    assert "not installed" in state.steps[1].run.error.detail


def test_a_write_that_hangs_after_its_effect_is_ended_and_found_to_be_done(rig):
    note = "import os, pathlib; pathlib.Path(sys.argv[1] + '.pid').write_text(str(os.getpid()));"

    state = rig.run(write("write_soon", then=note + HANG), verify())

    assert (state.status, rig.word.read_text()) == (Status.SUCCEEDED, "new")
    assert gone(int(Path(f"{rig.word}.pid").read_text()))


def test_a_write_that_hangs_before_its_effect_is_ended_and_leaves_the_world_as_it_was(rig):
    state = rig.run(write("write_soon", first="import time; time.sleep(60)"), verify())

    assert (state.status, state.left, rig.word.read_text()) == (Status.FAILED, (), "old")


def test_a_verification_that_hangs_undoes_the_change(rig):
    state = rig.run(write(), verify("read_soon", then=HANG))

    assert (state.status, state.left, rig.word.read_text()) == (Status.ROLLED_BACK, (), "old")


def test_a_gigabyte_is_let_go_and_the_run_goes_on(rig, database):
    state = rig.run(write(then=GIGABYTE), verify())

    assert (state.status, rig.word.read_text()) == (Status.SUCCEEDED, "new")
    assert lines(rig, state)[-1] == "(more was written than is kept)"
    with database.as_superuser() as connection:
        ((size,),) = connection.run("SELECT sum(length(line)) FROM step_lines")
    assert size < 2_000_000


def test_what_forks_away_is_ended_with_its_step(rig):
    state = rig.run(write(then=DAEMON), verify())

    assert (state.status, rig.word.read_text()) == (Status.SUCCEEDED, "new")
    assert gone(int(Path(f"{rig.word}.pid").read_text()))


def test_a_write_with_too_many_processes_is_ended_and_the_world_is_asked_what_came_of_it(rig):
    state = rig.run(write(then=BOMB), verify())

    assert (state.status, rig.word.read_text()) == (Status.SUCCEEDED, "new")
    assert children_of_tools() == []


def test_a_program_that_kills_itself_is_probed(rig):
    state = rig.run(write(then="import os; os.kill(os.getpid(), 9)"), verify())

    assert (state.status, rig.word.read_text()) == (Status.SUCCEEDED, "new")


def test_garbage_in_what_a_tool_writes_stops_nothing(rig):
    state = rig.run(write(then=GARBAGE), verify())

    assert state.status is Status.SUCCEEDED
    assert len(lines(rig, state)) == 3
    assert all("a\ufffdb" in line for line in lines(rig, state))


def test_more_lines_than_are_kept_are_told(rig):
    state = rig.run(write(then=TALK), verify())

    assert (len(lines(rig, state)), lines(rig, state)[-1]) == (10_001, "(500 more lines were not kept)")


def children_of_tools() -> list[str]:
    """Return the processes that still run our bomb."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            command = (entry / "cmdline").read_bytes()
        except OSError:
            continue
        if b"for _ in range(30):" in command:
            found.append(entry.name)
    return found
