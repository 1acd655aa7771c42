"""What has to be done from time to time, and by nobody's message: every second, and every minute."""

import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from carapulse.audit.usecases import make_checkpoint
from carapulse.collection.ticking import start_due_collections
from carapulse.executions.usecases import look_after_overdue
from carapulse.kernel.call import INSTALLATION, Actor, Call
from carapulse.kernel.errors import Problem
from carapulse.notifications.announcing import ask_to_tell
from carapulse.observe import get_logger
from carapulse.retention.usecases import let_old_go, make_room
from carapulse.schedules.firing import fire_due_schedules
from carapulse.tracing import Trace

log = get_logger(__name__)
Duty = Callable[[Call, Any], object]
"""One of the things that time brings, done with a call at this moment."""

_SECOND_S = 1.0
_MINUTE_S = 60.0
_STOP_S = 1.0  # what is not committed by then is done by the next program


@dataclass
class Ticker:
    """A thread that does something from time to time. One failure is not the end of it."""

    name: str
    every_s: float
    do: Callable[[], None]
    _stopping: threading.Event = field(default_factory=threading.Event)

    def start(self) -> None:
        """Begin to count."""
        self._thread = threading.Thread(target=self._run, name=self.name, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End; what is being done has a moment to be committed."""
        self._stopping.set()
        self._thread.join(_STOP_S)

    def _run(self) -> None:
        while not self._stopping.wait(self.every_s):
            try:
                self.do()
            except Problem as problem:
                log.warning("tick_failed", ticker=self.name, code=problem.code, detail=problem.detail)
            except Exception:  # the edge: one bad minute must not be the last
                log.exception("tick_failed", ticker=self.name)


def tickers(app: Any) -> tuple[Ticker, Ticker]:  # noqa: ANN401 - the composition root's object
    """Return what a program runs for itself; where there is a scheduler outside, that calls `do_minute`."""
    return Ticker("second", _SECOND_S, partial(do_second, app)), Ticker("minute", _MINUTE_S, partial(do_minute, app))


def do_second(app: Any) -> None:  # noqa: ANN401 - the composition root's object
    """Do what can't wait for a minute: go on with runs whose moment has come, have people told, publish."""
    _do_each(_SECONDS_WORK, app)


def do_minute(app: Any) -> None:  # noqa: ANN401 - the composition root's object
    """Do what is due: runs, schedules and collectors whose moment has come, a checkpoint, room, the end of the old."""
    _do_each(_SECONDS_WORK + _MINUTES_WORK, app)


def _do_each(duties: Iterable[Duty], app: Any) -> None:  # noqa: ANN401 - as above
    """Do each, whatever became of those before it; then raise what went wrong first. What did later is logged."""
    failed: Exception | None = None
    for duty in duties:
        try:
            duty(_call(app), app)
        except Exception as error:  # the edge: a fault in one of them would stop all that comes by the clock
            if failed is not None:
                log.exception("duty_failed", duty=duty.__name__)
            failed = failed or error
    if failed is not None:
        raise failed


def _go_on_with_runs(call: Call, app: Any) -> None:  # noqa: ANN401 - as above
    gone_on = look_after_overdue(call, app)
    if gone_on:
        log.info("executions_looked_after", count=gone_on)


def _publish(_call: Call, app: Any) -> None:  # noqa: ANN401 - as above
    if app.relay is not None:
        app.relay.run()


def _fire_schedules(call: Call, app: Any) -> None:  # noqa: ANN401 - as above
    due = fire_due_schedules(call, app)
    if due:
        log.info("schedules_due", count=due)


def _start_collections(call: Call, app: Any) -> None:  # noqa: ANN401 - as above
    collections = start_due_collections(call, app)
    if collections:
        log.info("collections_started", count=collections)


def _make_checkpoint(call: Call, app: Any) -> None:  # noqa: ANN401 - as above
    made = make_checkpoint(call, app)
    if made is not None:
        log.info("checkpoint_made", number=made.number)


def _look_after_machines(call: Call, app: Any) -> None:  # noqa: ANN401 - as above
    if app.settings.orchestrator != "step-functions":
        return
    from carapulse.orchestration.machines import look_after_machines  # noqa: PLC0415 - only where there are any

    looked_after = look_after_machines(call, app)
    if looked_after:
        log.info("machines_looked_after", count=looked_after)


def _call(app: Any) -> Call:  # noqa: ANN401 - the composition root's object
    actor = Actor(id="scheduler", kind="service")
    return Call(actor=actor, tenant=INSTALLATION, at=app.clock.now(), trace=Trace.begin().id)


_SECONDS_WORK: tuple[Duty, ...] = (_go_on_with_runs, ask_to_tell, _publish)
_MINUTES_WORK: tuple[Duty, ...] = (
    _fire_schedules,
    _start_collections,
    _make_checkpoint,
    _look_after_machines,
    make_room,
    let_old_go,
)
