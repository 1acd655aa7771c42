"""The runner of programs, against programs that misbehave."""

import os
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from carapulse.adapters.processes.runner import SupervisedPrograms
from carapulse.tools.errors import ToolUnavailable
from carapulse.tools.ports import Command, Ended, EndedBy, Limits


def run(
    code: str, *arguments: str, deadline_s: float = 20, cancelled: threading.Event | None = None, **fields: Any
) -> Ended:
    lines: list[str] = fields.pop("lines", [])
    command = Command(program="python", arguments=("-c", code, *arguments), **fields)
    return SupervisedPrograms().run(
        command, on_line=lines.append, cancelled=cancelled or threading.Event(), deadline_s=deadline_s
    )


def alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state != "Z"


def gone(pid: int, within_s: float = 5) -> bool:
    ends_at = time.monotonic() + within_s
    while alive(pid) and time.monotonic() < ends_at:
        time.sleep(0.02)
    return not alive(pid)


def test_output_and_exit_code_are_told():
    ended = run("import sys; print('out'); print('err', file=sys.stderr); sys.exit(3)")

    assert (ended.by, ended.exit_code, ended.stdout, ended.stderr) == (EndedBy.ITSELF, 3, "out\n", "err\n")


def test_a_program_killed_by_a_signal_has_no_exit_code():
    ended = run("import os; os.kill(os.getpid(), 9)")

    assert (ended.by, ended.exit_code, ended.signal) == (EndedBy.ITSELF, None, 9)


def test_values_reach_the_program_as_they_are():
    nasty = ("--upload-pack=x", "$(touch x)", "a b;c|d&e", "'\"\\", "*", "é\n")

    ended = run("import json, sys; print(json.dumps(sys.argv[1:]))", *nasty)

    assert __import__("json").loads(ended.stdout) == list(nasty)


def test_the_environment_holds_nothing_of_ours():
    os.environ["CARAPULSE_TEST_SECRET"] = "do-not-inherit"
    try:
        ended = run("import os; print(sorted(os.environ))", environment={"GIVEN": "1"})
    finally:
        del os.environ["CARAPULSE_TEST_SECRET"]

    assert set(__import__("ast").literal_eval(ended.stdout)) <= {
        "GIVEN",
        "HOME",
        "LANG",
        "LC_CTYPE",
        "PATH",
        "PYTHONPATH",
        "TMPDIR",
    }


def test_the_program_has_a_folder_of_its_own_that_is_gone_afterwards():
    ended = run(
        "import os; print(os.getcwd()); print(open('job.json').read()); print(oct(os.stat('job.json').st_mode))",
        files={"job.json": "{}"},
    )

    folder, content, mode = ended.stdout.split()
    assert (content, mode) == ("{}", "0o100600")
    assert not Path(folder).exists()


def test_standard_input_is_empty():
    assert run("import sys; print(repr(sys.stdin.read()))").stdout == "''\n"


def test_a_program_that_hangs_ends_at_the_deadline():
    began = time.monotonic()

    ended = run("import time; time.sleep(600)", deadline_s=0.5)

    assert (ended.by, ended.exit_code) == (EndedBy.DEADLINE, None)
    assert time.monotonic() - began < 5


def test_a_program_that_ignores_being_asked_is_made_to_end():
    lines: list[str] = []

    ended = run(
        "import os, signal, time; signal.signal(15, signal.SIG_IGN); print(os.getpid(), flush=True); time.sleep(600)",
        deadline_s=0.5,
        lines=lines,
    )

    assert ended.by is EndedBy.DEADLINE
    assert gone(int(lines[0]))


def test_a_cancel_ends_the_program():
    cancelled = threading.Event()
    threading.Timer(0.3, cancelled.set).start()

    ended = run("import time; time.sleep(600)", cancelled=cancelled)

    assert ended.by is EndedBy.CANCEL


ESCAPES = """
import os, sys, time
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        os.setsid()
        sys.stdout.write(f"{os.getpid()}\\n"); sys.stdout.flush()
        time.sleep(600)
    os._exit(0)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has subreapers")
@pytest.mark.parametrize("then", ["time.sleep(600)", "time.sleep(0.3)"], ids=["at the deadline", "after the end"])
def test_what_forked_away_into_a_session_of_its_own_is_ended_too(then: str):
    ended = run(ESCAPES + then, deadline_s=1)

    assert gone(int(ended.stdout.strip()))


def test_a_gigabyte_is_neither_kept_nor_waited_for():
    lines: list[str] = []
    code = "import sys\nblock = 'x' * 1048575 + '\\n'\nfor _ in range(1024): sys.stdout.write(block)"

    ended = run(code, deadline_s=60, output_bytes=100_000, lines=lines)

    assert (ended.exit_code, len(ended.stdout), ended.truncated) == (0, 100_000, True)
    assert sum(map(len, lines)) < 200_000


def test_a_writer_without_end_ends_at_the_deadline():
    ended = run("while True: print('y' * 1000)", deadline_s=1, output_bytes=1000)

    assert (ended.by, ended.truncated) == (EndedBy.DEADLINE, True)


def test_both_outputs_are_read_at_once():
    code = "import sys\nfor _ in range(200): sys.stdout.write('o' * 10000); sys.stderr.write('e' * 10000)"

    ended = run(code)

    assert (ended.exit_code, ended.truncated) == (0, True)


def test_memory_is_limited():
    ended = run("bytearray(1024 ** 3)", limits=Limits(memory_bytes=512 * 1024**2))

    assert ended.exit_code == 1
    assert "MemoryError" in ended.stderr


def test_the_size_of_files_is_limited():
    ended = run("open('big', 'wb').write(b'x' * 10_000_000)", limits=Limits(file_bytes=1_000_000))

    assert ended.exit_code == 1 or ended.signal is not None


def test_cpu_time_is_limited():
    ended = run("while True: pass", limits=Limits(cpu_s=1))

    assert ended.exit_code is None
    assert ended.signal is not None


@pytest.mark.skipif(sys.platform != "linux", reason="descendants are counted in /proc")
def test_a_program_with_too_many_processes_is_ended():
    ended = run(
        "import os, time\nfor _ in range(40):\n if os.fork() == 0: time.sleep(600)\ntime.sleep(600)",
        limits=Limits(processes=20),
    )

    assert (ended.by, ended.exit_code) == (EndedBy.LIMIT, None)


def test_lines_come_while_the_program_runs():
    came: list[float] = []
    command = Command(
        program="python", arguments=("-c", "import time; print('a', flush=True); time.sleep(1); print('b')")
    )

    SupervisedPrograms().run(
        command, on_line=lambda _: came.append(time.monotonic()), cancelled=threading.Event(), deadline_s=10
    )

    assert came[1] - came[0] > 0.5


def test_a_missing_program_is_unavailable():
    with pytest.raises(ToolUnavailable, match="not installed"):
        SupervisedPrograms().run(
            Command(program="no-such-program", arguments=()), on_line=print, cancelled=threading.Event(), deadline_s=1
        )


def test_a_listener_that_fails_leaves_no_process_behind():
    pids: list[int] = []

    def listen(line: str) -> None:
        pids.append(int(line))
        raise ZeroDivisionError

    command = Command(
        program="python", arguments=("-c", "import os, time; print(os.getpid(), flush=True); time.sleep(600)")
    )
    with pytest.raises(ZeroDivisionError):
        SupervisedPrograms().run(command, on_line=listen, cancelled=threading.Event(), deadline_s=30)

    assert gone(pids[0])


def test_a_program_does_not_outlive_the_one_that_started_it(tmp_path: Path):
    code = f"""
import threading
from carapulse.adapters.processes.runner import SupervisedPrograms
from carapulse.tools.ports import Command
inner = "import os, time; open({str(tmp_path / "pid")!r}, 'w').write(str(os.getpid())); time.sleep(600)"
SupervisedPrograms().run(Command(program="python", arguments=("-c", inner)), on_line=print, cancelled=threading.Event(), deadline_s=60)
"""
    with subprocess.Popen([sys.executable, "-c", code]) as outer:
        while not (tmp_path / "pid").exists() or not (tmp_path / "pid").read_text():
            time.sleep(0.02)
        outer.kill()

    assert gone(int((tmp_path / "pid").read_text()))
