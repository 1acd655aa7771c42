"""The demo from curtain to curtain."""

import os
import shutil
import signal
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from pathlib import Path
from subprocess import SubprocessError
from types import FrameType
from typing import Any, Final, NoReturn

import httpx
from rich.console import Console

from carapulse.kernel.errors import Problem
from carapulse.surfaces.cli.client import path_of
from carapulse.surfaces.cli.errors import CommandError
from carapulse.surfaces.cli.views.lists import timeline_view
from carapulse.surfaces.demo.alerting import GOOD
from carapulse.surfaces.demo.claims import ClaimFailedError, Claims, DemoError
from carapulse.surfaces.demo.incident import agree, break_shop, mend, register, report
from carapulse.surfaces.demo.installation import Installation
from carapulse.surfaces.demo.processes import descendants, still_running
from carapulse.surfaces.demo.proof import prove
from carapulse.surfaces.demo.regression import ask, turn_back
from carapulse.surfaces.demo.scene import Json, Scene
from carapulse.surfaces.demo.stage import Stage
from carapulse.surfaces.demo.world import World

LONGEST_S: Final = 30.0
_TERMINATED: Final = 128 + signal.SIGTERM


def run(console: Console, *, keep: bool = False) -> dict[str, Any]:
    """Play the demo, and return everything that was claimed. `ok` says whether all of it held.

    Whatever happens, nothing that it started is left, and nothing on disk unless that is to be kept.
    """
    stage = Stage(console)
    claims = Claims(stage)
    folder = Path(tempfile.mkdtemp(prefix="carapulse-demo-"))
    document: dict[str, Any] = {"folder": str(folder) if keep else None}
    try:
        with _ended_orderly():
            _play(folder, claims, stage, document)
    except ClaimFailedError:
        pass  # it was shown, and is in the document
    except (DemoError, CommandError, Problem, OSError, SubprocessError, httpx.HTTPError) as error:
        document["error"] = str(error)
        stage.say(f"The demo can't go on: {error}")
    finally:
        if not keep:
            document["evidence"] = []
            shutil.rmtree(folder, ignore_errors=True)
    document |= claims.document()
    document["ok"] = claims.all_held and "error" not in document
    stage.end(claims.made, document)
    return document


def _play(folder: Path, claims: Claims, stage: Stage, document: dict[str, Any]) -> None:
    started: set[int] = set()
    try:
        with World(folder) as world, Installation(folder, world) as carapulse:
            scene = Scene(folder, world, carapulse, claims, stage)
            began = time.monotonic()
            try:
                _set_up(scene)
                document["set_up_seconds"] = round(time.monotonic() - began, 2)
                began = time.monotonic()
                _tell(scene)
                document["seconds"] = round(time.monotonic() - began, 2)
            finally:
                document |= {"executions": scene.executions, "evidence": [str(path) for path in scene.evidence]}
                started = descendants(os.getpid()) | _postgres(folder)
    finally:
        document["left_running"] = still_running(started, folder)
    _bow(claims, document, started)


def _set_up(scene: Scene) -> None:
    """Start the world and the installation beside each other."""
    with scene.claims.chapter(
        "The stage: a repository, the service it declares, a reconciler, customers, and Carapulse"
    ):
        scene.world.begin(GOOD)
        scene.carapulse.begin()
        order = scene.world.order()
        scene.claims.check(
            f"checkout {GOOD} runs and takes orders", order.status == HTTPStatus.OK, scene.world.service_url
        )
        scene.carapulse.await_ready()
        scene.claims.check("carapulse up is ready", bool(scene.carapulse.url), scene.carapulse.url)


def _tell(scene: Scene) -> None:
    alertmanager = register(scene)
    summary = break_shop(scene)
    first = report(scene, alertmanager, summary)
    agree(scene, first)
    mend(scene, first, alertmanager, summary)
    second = ask(scene)
    turn_back(scene, second)
    with scene.claims.chapter("Both are proven, to whoever has the key and nothing else"):
        prove(scene, first["plan_id"], "remediation")
        prove(scene, second["plan_id"], "regression")
    with scene.claims.chapter("What the log says"):
        for plan in (first, second):
            _show_timeline(scene, plan)


def _show_timeline(scene: Scene, plan: Json) -> None:
    entries = scene.carapulse.as_("otto").get(path_of("plans", plan["plan_id"], "timeline")).body
    rows = entries["data"] if isinstance(entries, dict) else entries
    scene.stage.show(timeline_view(rows))
    told = [row["seq"] for row in rows] == list(range(1, len(rows) + 1))
    kinds = [row["type"] for row in rows]
    whole = told and kinds[0] == "PlanDrafted" and "ExecutionFinished" in kinds
    scene.claims.check(f"the log tells it without a gap: {plan['summary']}", whole, f"{len(rows)} events")


def _bow(claims: Claims, document: dict[str, Any], started: set[int]) -> None:
    with claims.chapter("Curtain"):
        left = document["left_running"]
        claims.check("nothing is left running", not left, left or f"{len(started)} processes have ended")
        seconds = document["seconds"]
        claims.check(f"all of it in less than {LONGEST_S:.0f} seconds", seconds < LONGEST_S, f"{seconds:.1f} s")


def _postgres(folder: Path) -> set[int]:
    """Return the database server of the installation, which detaches itself from the process that started it."""
    first_lines = [path.read_text().partition("\n")[0] for path in folder.glob("data/**/postmaster.pid")]
    pids = {int(line) for line in first_lines if line.isdecimal()}
    return pids | {child for pid in pids for child in descendants(pid)}


@contextmanager
def _ended_orderly() -> Iterator[None]:
    """Let SIGTERM and SIGHUP end the demo as Ctrl-C does: everything that it started ends first."""

    def end(_number: int, _frame: FrameType | None) -> NoReturn:
        raise SystemExit(_TERMINATED)

    handlers = {signal.SIGTERM: end, signal.SIGHUP: end, signal.SIGINT: signal.default_int_handler}
    former = {number: signal.signal(number, handler) for number, handler in handlers.items()}
    try:
        yield
    finally:
        for number, handler in former.items():
            signal.signal(number, handler)
