"""The demo as a new user runs it, and what it leaves: nothing but a log that tells everything again."""

import base64
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from tests.builders.once import once

from carapulse.executions import events
from carapulse.executions.applying import apply, begin
from carapulse.executions.events import ExecutionStarted
from carapulse.executions.model import ExecutionState
from carapulse.surfaces.demo.processes import still_running

COMMAND = [sys.executable, "-m", "carapulse.surfaces.cli", "demo"]
NEEDED = (
    "the signed alert is taken in less than a second",
    "policy wants a person to agree, and says why",
    "lin approves",
    "every step succeeded",
    "a customer can order",
    "ada can't approve what she asked for",
    "its verification fails",
    "what was done is undone",
    "the repository declares what it declared before",
    "the service is the one from before",
    "the evidence holds, verified offline by one file of Python",
    "nothing is left running",
)


def play(folder: Path) -> dict[str, Any]:
    """Run the demo for a program, and keep what it leaves."""
    ran = subprocess.run([*COMMAND, "--json", "--keep"], capture_output=True, text=True, timeout=110, check=False)
    document = json.loads(ran.stdout)
    evidence = [shutil.copy(path, folder / f"evidence-{number}") for number, path in enumerate(document["evidence"])]
    shutil.rmtree(document["folder"])
    return {**document, "code": ran.returncode, "complaints": ran.stderr, "evidence": [str(path) for path in evidence]}


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Run the demo once for all tests, whichever process they are in."""
    return once(tmp_path_factory, "demo", play)


def test_everything_that_the_demo_claims_holds(played):
    assert [claim for claim in played["claims"] if not claim["held"]] == []
    assert (played["code"], played["ok"], played.get("error")) == (0, True, None)
    assert played["complaints"] == ""


def test_the_demo_claims_what_it_is_for(played):
    claimed = {claim["claim"] for claim in played["claims"]}

    assert [needed for needed in NEEDED if needed not in claimed] == []
    assert [execution["status"] for execution in played["executions"]] == ["succeeded", "rolled_back"]


def test_it_takes_less_than_half_a_minute_after_set_up(played):
    assert played["seconds"] < 30


def test_nothing_that_it_started_is_left(played):
    assert played["left_running"] == []
    assert still_running(set(), Path(played["folder"]), grace_s=0) == []


@pytest.mark.parametrize("number", [0, 1])
def test_the_log_replayed_gives_the_state_that_was_stored(played, number):
    stored, log = played["executions"][number], the_log(played["evidence"][number])

    state = replayed(log)

    assert state.model_dump(mode="json")["status"] == stored["status"]
    assert (state.id, state.plan_id, state.digest, state.left) == (
        stored["execution_id"],
        stored["plan_id"],
        stored["digest"],
        tuple(stored["left"]),
    )
    assert [steps_of(step) for step in state.model_dump(mode="json")["steps"]] == [
        {name: step[name] for name in ("id", "status", "attempts", "started_at", "finished_at", "error", "effect")}
        | {"undo": step["undo"] and step["undo"]["status"]}
        for step in stored["steps"]
    ]


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_a_demo_that_is_ended_early_leaves_nothing_either(number, code):
    demo = subprocess.Popen([*COMMAND, "--json"], stdout=subprocess.PIPE, start_new_session=True)
    folder = await_folder(demo.pid)
    time.sleep(1.5)

    os.kill(demo.pid, number)

    output, _ = demo.communicate(timeout=30)
    assert (demo.returncode, output) == (code, b"")
    assert still_running(set(), folder) == []
    assert not folder.exists()


def the_log(path):
    """Return the events in a file of evidence, in order."""
    statement = json.loads(base64.b64decode(json.loads(Path(path).read_text())["payload"]))
    return [json.loads(row["event"]) for row in statement["predicate"]["events"]]


def replayed(log) -> ExecutionState:
    """Return the state that the log gives, event by event."""
    state: ExecutionState | None = None
    for entry in log:
        kind = getattr(events, entry["type"], None)
        if kind is None:
            continue
        event, at = kind.model_validate(entry["body"]), datetime.fromisoformat(entry["at"])
        if isinstance(event, ExecutionStarted):
            state = begin(event, at)
        elif state is not None:
            state = apply(state, event, at)
    assert state is not None, "the log begins with something else"
    return state


def steps_of(step):
    """Return of a step what the API shows of it."""
    run, undo = step["run"], step["undo"]
    names = ("status", "attempts", "started_at", "finished_at", "error", "effect")
    return {"id": step["facts"]["id"], **{name: run[name] for name in names}, "undo": undo and undo["status"]}


def await_folder(pid) -> Path:
    """Return the folder that a demo works in, as soon as something of it runs there."""
    until = time.monotonic() + 20
    while time.monotonic() < until:
        for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
            words = Path(f"/proc/{child}/cmdline").read_bytes().decode().split("\0")
            found = next((word for word in words if "/carapulse-demo-" in word), None)
            if found is not None:
                return Path(found.split("/deploy.git")[0])
        time.sleep(0.05)
    raise AssertionError("the demo did not start anything")
