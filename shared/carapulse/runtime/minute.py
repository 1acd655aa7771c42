"""The minute's work: what has to be done from time to time, and by nobody's message."""

import threading
from dataclasses import dataclass, field
from typing import Any

from carapulse.audit.usecases import make_checkpoint
from carapulse.kernel.call import Actor, Call
from carapulse.kernel.errors import Problem
from carapulse.observe import get_logger
from carapulse.retention.usecases import let_old_go, make_room
from carapulse.tracing import Trace

log = get_logger(__name__)
_MINUTE_S = 60.0
_STOP_S = 1.0  # what is not committed by then is done by the next program


@dataclass
class Minute:
    """A thread that wakes every minute."""

    app: Any
    _stopping: threading.Event = field(default_factory=threading.Event)

    def start(self) -> None:
        """Begin to count minutes."""
        self._thread = threading.Thread(target=self._run, name="minute", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End; a checkpoint that is being made has a moment to be committed."""
        self._stopping.set()
        self._thread.join(_STOP_S)

    def _run(self) -> None:
        while not self._stopping.wait(_MINUTE_S):
            try:
                do_minute(self.app)
            except Problem as problem:
                log.warning("minute_failed", code=problem.code, detail=problem.detail)
            except Exception:  # the edge: one bad minute must not be the last
                log.exception("minute_failed")


def do_minute(app: Any) -> None:  # noqa: ANN401 - the composition root's object
    """Do what is due: a checkpoint over every event that none covers yet, room for what comes, the end of the old."""
    actor = Actor(id="scheduler", kind="service")
    call = Call(actor=actor, tenant="carapulse", at=app.clock.now(), trace=Trace.begin().id)
    made = make_checkpoint(call, app)
    if made is not None:
        log.info("checkpoint_made", number=made.number)
    make_room(call, app)
    let_old_go(call, app)
