"""Keeps the embedded Postgres running: if its server dies, another takes its place on the same data and socket."""

import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from carapulse.adapters.embedded.postgres import EmbeddedPostgres
from carapulse.kernel.errors import Unavailable
from carapulse.observe import get_logger

log = get_logger(__name__)
_LOOK_S = 0.2
_AGAIN_S = 2.0


@dataclass
class PostgresGuard:
    """One server and the thread that watches it. The thread starts every server: a child ends with its thread."""

    folder: Path
    _started: threading.Event = field(default_factory=threading.Event)
    _stopping: threading.Event = field(default_factory=threading.Event)
    _server: EmbeddedPostgres | None = None
    _failure: Unavailable | None = None
    _thread: threading.Thread = field(init=False)

    @classmethod
    def start(cls, folder: Path) -> Self:
        """Start the server and watch it; raises Unavailable if it can't be started now."""
        guard = cls(folder)
        guard._thread = threading.Thread(target=guard._watch, name="postgres-guard", daemon=True)
        guard._thread.start()
        guard._started.wait()
        if guard._failure is not None:
            raise guard._failure
        return guard

    @property
    def server(self) -> EmbeddedPostgres:
        """The server that runs now."""
        if self._server is None:
            raise Unavailable("the embedded Postgres is not running")
        return self._server

    def stop(self) -> None:
        """Stop the server and stop watching."""
        self._stopping.set()
        self._thread.join()

    def _watch(self) -> None:
        try:
            self._server = EmbeddedPostgres.start(self.folder)
        except Unavailable as problem:
            self._failure = problem
            return
        finally:
            self._started.set()
        while not self._stopping.wait(_LOOK_S):
            if self.server.process.poll() is not None:
                self._replace()
        self.server.stop()

    def _replace(self) -> None:
        log.error("postgres_died", code=self.server.process.returncode)
        try:
            self._server = EmbeddedPostgres.start(self.folder)
        except Unavailable as problem:
            log.exception("postgres_not_restarted", detail=problem.detail)
            self._stopping.wait(_AGAIN_S)
