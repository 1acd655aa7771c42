"""`make faults`: every point with one worker, and points spread over the run with three; a table of what came of them."""

import sys
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

from tests.conftest import a_folder
from tests.faults.killing.campaign import Point, Stage
from tests.faults.killing.scenes import SCENES

from carapulse.adapters.embedded.database import APP, OWNER, prepare
from carapulse.adapters.embedded.postgres import EmbeddedPostgres
from carapulse.adapters.postgres.migrate import migrate

_AT_ONCE = 4
_EMPTY = "empty"
_TOGETHER_S = 45.0  # for each scene; with one worker every point is tried, however long that takes
_ONCE = {"after run toggle", "after run ring"}  # neither may be repeated
_FINDING_OUT = range(1, 17)
_REPORT = Path("build") / "faults.md"


def main() -> int:
    """Run the campaign, print and keep its table, and return 1 if any point fails."""
    began, points = time.monotonic(), list(campaign())
    lines = list(report(points, time.monotonic() - began))
    _REPORT.parent.mkdir(exist_ok=True)
    _REPORT.write_text("\n".join(lines) + "\n")
    print(*lines, sep="\n")  # noqa: T201 - what was asked for
    return int(any(point.faults for point in points))


def campaign() -> Iterator[Point]:
    """Yield every point as it is done."""
    with a_folder() as folder, ThreadPoolExecutor(_AT_ONCE) as pool:
        server = EmbeddedPostgres.start(folder / "server", durable=False)
        try:
            prepare(server, _EMPTY)
            migrate(server.url(OWNER, _EMPTY), APP)
            for scene in SCENES:
                stage = Stage.of(server, scene, folder, _EMPTY)
                yield from _shown(_alone(pool, stage))
                yield from _shown(_twice(pool, stage))
                yield from _shown(_together(pool, stage))
        finally:
            server.stop()


def _alone(pool: ThreadPoolExecutor, stage: Stage) -> Iterator[Point]:
    """Kill at every point, until a run is over before its worker comes to the point: so none is left out."""
    usual = stage.point(0)
    yield usual
    start, reached = 1, True
    while reached:
        some = list(pool.map(stage.point, range(start, start + _AT_ONCE)))
        yield from some
        start += _AT_ONCE
        reached = start <= len(usual.passed) or all(point.boundary for point in some)


def _twice(pool: ThreadPoolExecutor, stage: Stage) -> Iterator[Point]:
    """Kill at what must not be repeated, and then whoever finds out about it, at each point until it goes on."""
    number = next(n for n, name in enumerate(stage.point(0).passed, 1) if name in _ONCE)
    yield from pool.map(lambda then: stage.point(number, then=then), _FINDING_OUT)


def _together(pool: ThreadPoolExecutor, stage: Stage) -> Iterator[Point]:
    """Kill one of three at points spread over the run, ever closer, for as long as there is time."""
    until = time.monotonic() + _TOGETHER_S
    usual = stage.point(0, 3)
    yield usual
    tried: set[int] = set()
    step = 16
    while time.monotonic() < until and step:
        numbers = [each for each in range(step, len(usual.passed), step) if each not in tried]
        for start in range(0, len(numbers), _AT_ONCE):
            some = numbers[start : start + _AT_ONCE]
            if time.monotonic() < until:
                tried.update(some)
                yield from pool.map(stage.point, some, [3] * len(some))
        step //= 2


def _shown(points: Iterable[Point]) -> Iterator[Point]:
    for point in points:
        mark = "FAILED " + "; ".join(point.faults) if point.faults else point.outcome
        where = f"{point.scene}, {point.workers} at work, {point.number}: {point.boundary or 'nobody killed'}"
        print(f"{where}: {mark} ({point.seconds:.1f} s)", file=sys.stderr, flush=True)  # noqa: T201 - progress
        yield point


def report(points: list[Point], seconds: float) -> Iterator[str]:
    """Yield the table: boundaries by kind, and what became of the runs."""
    killed = [point for point in points if point.boundary]
    bad = [point for point in points if point.faults]
    yield f"# Kill anywhere: {datetime.now(UTC):%Y-%m-%d %H:%M} UTC"
    yield ""
    yield f"{len(killed)} workers killed in {seconds:.0f} s; {len(bad)} points failed."
    yield ""
    yield "| Scene | At work | Killed | Outcome | Points | Failed |"
    yield "|---|---|---|---|---|---|"
    seen = Counter((each.scene, each.workers, each.boundary or "", each.outcome) for each in killed)
    wrong = Counter((each.scene, each.workers, each.boundary or "", each.outcome) for each in killed if each.faults)
    for key, number in sorted(seen.items()):
        yield "| " + " | ".join(map(str, (*key, number, wrong[key]))) + " |"
    for point in bad:
        yield f"\nFAILED {point.scene}, {point.workers} at work, {point.number}, {point.boundary}: {point.faults}"


if __name__ == "__main__":
    sys.exit(main())
