"""One campaign: for each point a fresh copy of the database, a fresh world, a worker that dies, and one that goes on."""

import json
import multiprocessing
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, replace
from itertools import count
from pathlib import Path
from typing import Any

from tests.faults.killing.boundaries import Boundaries
from tests.faults.killing.checks import Ended
from tests.faults.killing.scenes import Scene
from tests.faults.killing.victims import Glance, Task, an_app, work
from tests.world.rig import TENANT, Rig
from tests.world.server import World, a_world

from carapulse.adapters.embedded.database import APP, OWNER
from carapulse.adapters.embedded.postgres import EmbeddedPostgres, over_socket

_CONTEXT = multiprocessing.get_context("forkserver")
_CONTEXT.set_forkserver_preload(["tests.faults.killing.warm"])
_KILLED = -9
_LONGEST_S = 60
_NEXT = "trace-next"  # the trace of whoever goes on
_numbers = count(1)


@dataclass(frozen=True)
class Point:
    """What became of a run whose worker was killed at one boundary. Without a boundary, nobody was killed."""

    scene: str
    workers: int
    number: int
    boundary: str | None
    outcome: str
    faults: tuple[str, ...]
    passed: tuple[str, ...]
    seconds: float


@dataclass
class Stage:
    """One scene on one server: its plan is approved, and every point begins with a copy of that."""

    server: EmbeddedPostgres
    scene: Scene
    folder: Path
    template: str
    plan_id: str
    usual: Ended | None = None

    @classmethod
    def of(cls, server: EmbeddedPostgres, scene: Scene, folder: Path, empty: str) -> "Stage":
        """Make the plan, have it approved, and let go of the database, so that it can be copied."""
        template = f"{scene.name}_{next(_numbers)}"
        _admin(server, f"CREATE DATABASE {template} TEMPLATE {empty} OWNER {OWNER} STRATEGY file_copy")
        with a_world() as world, closing(Rig(server.url(APP, template), world, folder / template)) as rig:
            plan = scene.plan(rig)
            assert plan.approvals_required, plan
            for person in ("grace", "mary", "joan")[: plan.approvals_required]:
                rig.approve(plan, person)
        return cls(server, scene, folder, template, plan.plan_id)

    def point(self, number: int, workers: int = 1, then: int = 0) -> Point:
        """Kill the first worker at its boundary of that number, let the others finish, and look; 0 kills nobody.

        `then` is the boundary at which whoever goes on is killed, too, while it finds out what took place.
        """
        began = time.monotonic()
        with self._place() as (task, world):
            victim = replace(task, kill_at=number, alone=workers == 1, visibility_s=30.0 if workers == 1 else 2.0)
            _run(victim, workers, then)
            passed = tuple(victim.trace.read_text().splitlines())
            with ExitStack() as parts:
                app = parts.enter_context(closing(an_app(victim, Boundaries(Path("/dev/null"), 0))))
                glance = parts.enter_context(closing(Glance(task.socket, task.database)))
                if not glance.at_rest:
                    state = glance.connection.run("SELECT status, state FROM executions")
                    faults: tuple[str, ...] = (f"it did not come to rest: {state}",)
                    outcome = "stuck"
                else:
                    ended = Ended(app, self.plan_id, self.scene, world, glance)
                    self.usual = self.usual or (ended if number == 0 else None)
                    faults, outcome = tuple(ended.faults(self.usual)), _outcome(ended, task)
        boundary = passed[-1] if 0 < number == len(passed) and _was_killed(victim) else None
        if boundary and then and _was_killed(victim, _NEXT):
            boundary += f", then {_beside(victim, _NEXT).read_text().splitlines()[-1]}"
        took = time.monotonic() - began
        return Point(self.scene.name, workers, number, boundary, outcome, faults, passed, took)

    @contextmanager
    def _place(self) -> Iterator[tuple[Task, World]]:
        name = f"{self.template}_{next(_numbers)}"
        folder = self.folder / name
        folder.mkdir(mode=0o700)
        _admin(self.server, f"CREATE DATABASE {name} TEMPLATE {self.template} OWNER {OWNER} STRATEGY file_copy")
        try:
            with a_world() as world:
                world.on, world.busy = dict(self.scene.on), dict(self.scene.busy)
                file = folder / "connections.json"
                lamp = {"tool": "lamp", "name": "world", "match": {"tenant": TENANT}, "base_url": world.base_url}
                file.write_text(json.dumps({"connections": [lamp]}))
                url, socket = self.server.url(APP, name), str(self.server.socket)
                yield Task(url, socket, name, file, self.plan_id, folder / "trace-0"), world
        finally:
            _admin(self.server, f"DROP DATABASE {name} WITH (FORCE)")


def _run(victim: Task, workers: int, then: int) -> None:
    """Let the victim and its fellows work. Who goes on after it is killed at the boundary `then`, the next one never."""
    fellows = [
        replace(victim, kill_at=0, executes=False, trace=victim.trace.with_name(f"trace-{number}"))
        for number in range(1, workers)
    ]
    here = [_started(each) for each in (victim, *fellows)]
    here[0].join(_LONGEST_S)
    if here[0].exitcode == _KILLED:
        here.append(_successor(victim, victim.trace.name, replace(victim, kill_at=then, trace=_beside(victim, _NEXT))))
        if then:
            here[1].join(_LONGEST_S)
    if here[-1].exitcode == _KILLED:
        here.append(_successor(victim, _NEXT, replace(victim, kill_at=0, trace=_beside(victim, "trace-last"))))
    for each in here:
        each.join(_LONGEST_S)
        if each.exitcode not in {0, _KILLED}:
            each.kill()
            raise AssertionError(f"a worker ended with {each.exitcode}")


def _successor(victim: Task, killed: str, task: Task) -> Any:
    """Note who was killed, and start whoever goes on; alone, it does so once everything has lapsed."""
    _beside(victim, f"killed-{killed}").touch()
    if victim.alone:
        with closing(Glance(victim.socket, victim.database)) as glance:
            glance.let_time_pass()
    return _started(task)


def _beside(victim: Task, name: str) -> Path:
    return victim.trace.with_name(name)


def _started(task: Task) -> Any:
    process = _CONTEXT.Process(target=work, args=(task,))
    process.start()
    return process


def _was_killed(victim: Task, trace: str | None = None) -> bool:
    return _beside(victim, f"killed-{trace or victim.trace.name}").exists()


def _outcome(ended: Ended, task: Task) -> str:
    words: list[str] = [ended.state.status]
    if ended.taken_over:
        words.append("step taken over")
    if ended.repeated:
        words.append("idempotent effect repeated")
    traces: Sequence[Path] = sorted(task.trace.parent.glob("trace-*"))
    if any("the clock moved on" in each.read_text() for each in traces):
        words.append("gone on with by the clock")
    return ", ".join(words)


def _admin(server: EmbeddedPostgres, statement: str) -> None:
    with closing(over_socket(server.socket)) as admin:
        admin.run(statement)
