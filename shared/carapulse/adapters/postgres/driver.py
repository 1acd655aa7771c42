"""The driver, pg8000, mended where a connection that can't be used any more would be used all the same.

It lets a timeout or a cut through as the operating system's error, in which the pool sees no lost connection. And what
it can't decode it leaves half read: the next statement, maybe another tenant's, would get what is left of the answer.
And it spells the parameters of a statement anew, letter by letter, each time: a quarter of what a start of a run cost.
"""

from contextlib import suppress
from functools import lru_cache
from socket import SHUT_RDWR
from typing import Any

import pg8000.native
from pg8000.dbapi import convert_paramstyle
from pg8000.exceptions import DatabaseError, InterfaceError
from pg8000.legacy import Connection as Unmended
from pg8000.legacy import Cursor as UnmendedCursor
from pg8000.legacy import IntegrityError, ProgrammingError

from carapulse.adapters.postgres.address import parse_address

_KINDS: dict[str, type[Exception]] = {"28000": InterfaceError, "23505": IntegrityError}  # as the driver has it


@lru_cache(maxsize=2000)
def _numbered(statement: str) -> str:
    """Return a statement with `$1` for its first `%s`, and so on."""
    numbered: str = convert_paramstyle("format", statement, ())[0]
    return numbered


class Cursor(UnmendedCursor):  # type: ignore[misc]
    """A cursor that remembers how a statement is spelled."""

    _input_oids: Any

    def execute(self, operation: str, args: Any = (), stream: Any = None) -> "Cursor":  # noqa: ANN401 - the driver is untyped
        """Execute one statement."""
        if not args or stream is not None:
            super().execute(operation, args, stream)
            return self
        connection = self._c
        try:
            if not connection._in_transaction and not connection.autocommit:  # noqa: SLF001 - as the driver's own does
                connection.execute_simple("begin transaction")
            self._context = connection.execute_unnamed(_numbered(operation), vals=args, oids=self._input_oids)
        except AttributeError as error:
            if connection is None or connection._sock is None:  # noqa: SLF001 - as the driver's own does
                raise InterfaceError("the connection is closed") from error
            raise
        except DatabaseError as error:
            told = error.args[0]
            code = told["C"] if isinstance(told, dict) else ""
            raise _KINDS.get(code, ProgrammingError)(told) from error
        self._row_iter = iter(self._context.rows or [])
        self._input_oids = ()
        return self


class Connection(Unmended):  # type: ignore[misc]
    """A connection that ends when it is out of step with the server."""

    def cursor(self) -> Cursor:
        """Return a cursor of ours."""
        return Cursor(self)

    def handle_messages(self, context: Any) -> None:  # noqa: ANN401 - the driver is untyped
        """Read until the server is ready for the next statement."""
        try:
            super().handle_messages(context)
        except OSError as error:
            raise InterfaceError("network error") from error
        except BaseException as error:
            if error is not context.error:
                self._end()
            raise

    def _end(self) -> None:
        """Cut the connection, so that nobody reads the rest; the pool finds it lost."""
        with suppress(OSError):
            self._usock.shutdown(SHUT_RDWR)


def open_native(url: str, timeout_s: float) -> pg8000.native.Connection:
    """Return one of the driver's own connections, outside the pool; no answer may take longer than so many seconds."""
    address, arguments = parse_address(url)
    where = {"host": address.host or "localhost", "port": address.port or 5432, **arguments}
    user, password, database = address.username or "", address.password, address.database
    return pg8000.native.Connection(user, password=password, database=database, timeout=timeout_s, **where)


def open_connection(_dialect: object, _record: object, arguments: list[Any], options: dict[str, Any]) -> Connection:
    """Return a new connection for the pool."""
    return Connection(*arguments, **options)
