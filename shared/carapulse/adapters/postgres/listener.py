"""Hears NOTIFY, so that an idle worker starts at once. A lost wake-up costs a poll interval, never a message."""

import select
import threading
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from typing import Any

from pg8000.exceptions import DatabaseError, InterfaceError

from carapulse.adapters.postgres.door import Door
from carapulse.adapters.postgres.driver import open_native
from carapulse.adapters.postgres.queue import CHANNEL
from carapulse.observe import get_logger

log = get_logger(__name__)
_LOOK_S = 0.5
_RECONNECT_S = 1.0
_PATIENCE_S = 10.0
_SILENCE_S = 30.0  # after so long the server is asked: who went without a word would never be heard again


@dataclass
class Listener:
    """One connection that listens, in a thread of its own, and reconnects for as long as it is wanted."""

    where: str | Door
    on_message: Callable[[Collection[str] | None], None]
    """Is told which queues have something; None if it may be any."""
    stopping: threading.Event = field(default_factory=threading.Event)
    silence_s: float = _SILENCE_S
    patience_s: float = _PATIENCE_S

    def start(self) -> None:
        """Begin to listen."""
        self._thread = threading.Thread(target=self._run, name="listener", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Stop listening."""
        self.stopping.set()
        self._thread.join(2 * _LOOK_S)

    def _run(self) -> None:
        while not self.stopping.is_set():
            try:
                self._listen()
            except (InterfaceError, DatabaseError, OSError) as error:
                log.warning("listener_lost", detail=str(error))
                self.stopping.wait(_RECONNECT_S)

    def _listen(self) -> None:
        connection = open_native(Door.at(self.where), self.patience_s)
        try:
            connection.run(f"LISTEN {CHANNEL}")
            self.on_message(None)  # whatever was sent while nobody listened
            heard = select.poll()  # not select(), which knows no more than the first 1024 files of a process
            heard.register(connection._usock, select.POLLIN)  # noqa: SLF001 - no public name
            asked = time.monotonic()
            while not self.stopping.is_set():
                if heard.poll(_LOOK_S * 1000) or time.monotonic() - asked > self.silence_s:
                    asked = time.monotonic()
                    connection.run("SELECT 1")  # the driver collects notifications only while it reads an answer
                    self._tell(connection)
        finally:
            _close(connection)

    def _tell(self, connection: Any) -> None:  # noqa: ANN401 - the driver is untyped
        if connection.notifications:
            queues = {queue for _, _, queue in connection.notifications}
            connection.notifications.clear()
            self.on_message(queues)


def _close(connection: Any) -> None:  # noqa: ANN401 - the driver is untyped
    try:
        connection.close()
    except (InterfaceError, DatabaseError, OSError) as error:
        log.debug("listener_closed", detail=str(error), at=time.monotonic())
