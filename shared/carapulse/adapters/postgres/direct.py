"""The driver's own connections, for the few statements that every step makes: prepared, each its own transaction."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from pg8000.exceptions import DatabaseError, InterfaceError

from carapulse.adapters.postgres.driver import open_native
from carapulse.adapters.postgres.engine import PATIENCE_S, TIMEOUTS, send_at_once, translated

_MOST_IDLE = 32
_BY_KEY = {"enable_seqscan": "off"}  # a plan that was made while a table was small is kept when it has grown


class _Connection:
    """One connection and the statements that it has prepared."""

    def __init__(self, url: str, patience_s: float) -> None:
        self.raw = open_native(url, patience_s)
        send_at_once(self.raw)
        for name, value in (TIMEOUTS | _BY_KEY).items():
            self.raw.run(f"SET {name} = '{value}'")
        self._prepared: dict[str, Any] = {}

    def run(self, statement: str, **parameters: object) -> list[list[Any]]:
        prepared = self._prepared.get(statement)
        if prepared is None:
            prepared = self._prepared[statement] = self.raw.prepare(statement)
        rows: list[list[Any]] | None = prepared.run(**parameters)
        return rows or []


@dataclass
class Direct:
    """A pool of such connections. It makes one when none is free, and lets one that failed go."""

    url: str
    patience_s: float = PATIENCE_S
    _idle: list[_Connection] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def run(self, statement: str, **parameters: object) -> list[list[Any]]:
        """Run one statement, which is a transaction of its own, and return its rows.

        Raises our families. After Unavailable nobody knows whether it was committed.
        """
        with translated(), self._borrowed() as connection:
            return connection.run(statement, **parameters)

    def close(self) -> None:
        """Close what is idle."""
        with self._lock:
            idle, self._idle = self._idle, []
        for connection in idle:
            _close(connection)

    @contextmanager
    def _borrowed(self) -> Iterator[_Connection]:
        with self._lock:
            connection = self._idle.pop() if self._idle else None
        connection = connection or _Connection(self.url, self.patience_s)
        try:
            yield connection
        except (InterfaceError, OSError):
            self.close()  # what is idle was most likely lost with it
            _close(connection)
            raise
        except BaseException:
            _close(connection)
            raise
        with self._lock:
            if len(self._idle) < _MOST_IDLE:
                self._idle.append(connection)
                return
        _close(connection)


def _close(connection: _Connection) -> None:
    try:
        connection.raw.close()
    except (InterfaceError, DatabaseError, OSError):
        return  # it was lost already, which is why it is let go
