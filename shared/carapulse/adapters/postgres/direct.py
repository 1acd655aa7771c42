"""Connections for the few statements that every step makes: each its own transaction, and prepared if it can be."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Protocol

from pg8000.exceptions import DatabaseError, InterfaceError
from pg8000.native import to_statement

from carapulse.adapters.postgres.door import Door, opening
from carapulse.adapters.postgres.driver import open_connection, open_native
from carapulse.adapters.postgres.engine import PATIENCE_S, TIMEOUTS, translated

_MOST_IDLE = 32
_BY_KEY = {"enable_seqscan": "off"}  # a plan that was made while a table was small is kept when it has grown


class _Connection(Protocol):
    raw: Any

    def run(self, statement: str, **parameters: object) -> list[list[Any]]: ...


class _Preparing:
    """One connection and the statements that it has prepared."""

    def __init__(self, door: Door, patience_s: float) -> None:
        self.raw = open_native(door, patience_s)
        for name, value in (TIMEOUTS | _BY_KEY).items():
            self.raw.run(f"SET {name} = '{value}'")
        self._prepared: dict[str, Any] = {}

    def run(self, statement: str, **parameters: object) -> list[list[Any]]:
        prepared = self._prepared.get(statement)
        if prepared is None:
            prepared = self._prepared[statement] = self.raw.prepare(statement)
        rows: list[list[Any]] | None = prepared.run(**parameters)
        return rows or []


class _Forgetful:
    """One connection to a pooler, where whatever is prepared may be in another session by the next statement."""

    def __init__(self, door: Door, patience_s: float) -> None:
        self.raw = open_connection(door, patience_s, opening(TIMEOUTS | _BY_KEY))

    def run(self, statement: str, **parameters: object) -> list[list[Any]]:
        spelled, values_of = _spelled(statement)
        return self.raw.execute_alone(spelled, values_of(parameters)).rows or []


_spelled = lru_cache(maxsize=200)(to_statement)


@dataclass
class Direct:
    """A pool of such connections. It makes one when none is free, and lets one that failed go."""

    where: str | Door
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

    def _new(self) -> _Connection:
        door = Door.at(self.where)
        return _Forgetful(door, self.patience_s) if door.pooled else _Preparing(door, self.patience_s)

    @contextmanager
    def _borrowed(self) -> Iterator[_Connection]:
        with self._lock:
            connection = self._idle.pop() if self._idle else None
        connection = connection or self._new()
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
