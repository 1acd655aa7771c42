"""The heartbeat that a machine expects of whoever is at what it asked for."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from carapulse.kernel.errors import Unavailable
from carapulse.observe import get_logger
from carapulse.orchestration.errors import MachineDeaf
from carapulse.orchestration.ports import Machines

log = get_logger(__name__)


@contextmanager
def beating(token: str, every_s: float, machines: Machines) -> Iterator[None]:
    """Tell the machine every so often that somebody is at it, for as long as it listens."""
    done = threading.Event()
    thread = threading.Thread(target=_beat, args=(token, every_s, machines, done), name="machine-beat", daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()


def listens(token: str, machines: Machines) -> bool:
    """Tell the machine that it is not forgotten, and return whether it still waits by this token."""
    try:
        machines.beat(token)
    except MachineDeaf:
        log.info("machine_deaf")
        return False
    return True


def _beat(token: str, every_s: float, machines: Machines, done: threading.Event) -> None:
    while not done.wait(every_s):
        try:
            if not listens(token, machines):
                return
        except Unavailable as problem:  # the next beat is soon enough
            log.warning("heartbeat_missed", detail=problem.detail)
