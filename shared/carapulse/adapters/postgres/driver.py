"""The driver, pg8000, mended where a connection that can't be used any more would be used all the same.

It lets a timeout or a cut through as the operating system's error, in which the pool sees no lost connection. And what
it can't decode it leaves half read: the next statement, maybe another tenant's, would get what is left of the answer.
And it spells the parameters of a statement anew, letter by letter, each time: a quarter of what a start of a run cost.
And it asks three times for one statement, and once more to begin: first whether it is one, then what it returns, then
for its rows. All of that goes in one message here, and the answers come in the same order.
And it reads every moment letter by letter, by a pattern: a seventh of what a page of a list cost.
What binds a transaction to its tenant goes with the message that begins it, too.
"""

import select
import socket
from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime
from functools import lru_cache
from typing import Any

import pg8000.native
from pg8000.converters import TIMESTAMPTZ, make_params, timestamptz_in
from pg8000.core import BIND, DESCRIBE, EXECUTE, NULL_BYTE, PARSE, STATEMENT, SYNC, Context, _flush
from pg8000.dbapi import convert_paramstyle
from pg8000.exceptions import DatabaseError, InterfaceError
from pg8000.legacy import Cursor as UnmendedCursor
from pg8000.legacy import IntegrityError, ProgrammingError

from carapulse.adapters.postgres.address import parse_address
from carapulse.adapters.postgres.door import Door
from carapulse.adapters.postgres.looking import Looking
from carapulse.adapters.postgres.messages import ALL_ROWS, BEGIN, BIND_TENANT, BINDS_TENANT, COMMIT, binding, parsing

_KINDS: dict[str, type[Exception]] = {"28000": InterfaceError, "23505": IntegrityError}  # as the driver has it


def _moment(text: str) -> Any:  # noqa: ANN401 - what Python has no moment for comes as the driver has it
    """Return the moment that a `timestamptz` says."""
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return timestamptz_in(text)


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
            self._context = connection.execute_at_once(_numbered(operation), args, self._input_oids)
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


class Connection(Looking):
    """A connection that ends when it is out of step with the server."""

    _bound: bytes | None = None
    """The tenant, spelled, that the next transaction is to be bound to."""

    def bind(self, tenant: str | None) -> bool:
        """Let the transaction that begins with the next statement see one tenant's rows; None takes that back.

        Returns False if one has begun, which has to be told by a statement.
        """
        if tenant is not None and (self._in_transaction or self.autocommit):
            return False
        # Spelled before anything is sent: what can't be would leave a beginning behind that nobody has asked for.
        self._bound = None if tenant is None else tenant.encode(self._client_encoding)
        return True

    def is_quiet(self) -> bool:
        """Return whether the server has said nothing since its last answer; when it hangs up, that is heard, too."""
        heard = select.poll()  # not select(), which knows no more than the first 1024 files of a process
        heard.register(self._usock, select.POLLIN)
        return not heard.poll(0)

    def ask(self) -> None:
        """Have the server answer, outside any transaction."""
        super().execute_simple("SELECT")

    def cursor(self) -> Cursor:
        """Return a cursor of ours."""
        return Cursor(self)

    def commit(self) -> None:
        """End the transaction, in one turn where the driver takes three; one that never began is over, too."""
        self._bound = None
        super().execute_simple(COMMIT)

    def rollback(self) -> None:
        """Take the transaction back, if there is one; one that never began is over, too."""
        self._bound = None
        if self._in_transaction:
            super().execute_simple("rollback")

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

    def execute_at_once(self, statement: str, values: Sequence[Any], oids: Sequence[int]) -> Context:
        """Execute one statement, in a transaction that is begun with it, if need be, for one message and its answer."""
        encoding, params = self._client_encoding, make_params(self.py_types, values)
        # Both are spelled before anything is sent: what can't be leaves nothing half sent.
        parsed = parsing(statement.encode(encoding), oids)
        given = binding([None if each is None else each.encode(encoding) for each in params])
        is_first, context = not self._in_transaction and not self.autocommit, Context(statement)
        bound = self._send_opening() if is_first else False
        self._send_parts(parsed, given)
        _flush(self._sock)
        if is_first:
            self._begin()
        if bound:
            self._bind(before=context)
        self.handle_messages(context)
        return context

    def execute_alone(self, statement: str, values: Sequence[Any]) -> Context:
        """Execute one statement in a transaction of its own: its beginning, it, and its end go in one message."""
        encoding, params = self._client_encoding, make_params(self.py_types, values)
        parsed = parsing(statement.encode(encoding))
        given = binding([None if each is None else each.encode(encoding) for each in params])
        context = Context(statement)
        self.send_QUERY(self.opening)
        self._send_parts(parsed, given)
        self.send_QUERY(COMMIT)
        _flush(self._sock)
        self._begin()
        try:
            self.handle_messages(context)
        except DatabaseError:
            self.handle_messages(Context("rollback"))  # which is what the commit of something that failed is
            raise
        self.handle_messages(Context(COMMIT))
        return context

    def execute_simple(self, statement: str) -> Context:
        """Execute a statement without parameters; where the driver begins a transaction, it begins as ours do."""
        if statement != BEGIN:
            context: Context = super().execute_simple(statement)
            return context
        bound = self._send_opening()
        _flush(self._sock)
        self._begin()
        if bound:
            self.handle_messages(Context(BIND_TENANT))
        return Context(statement)

    def _send_opening(self) -> bool:
        """Begin a transaction, and return whether it was bound to a tenant as well."""
        tenant, self._bound = self._bound, None
        self.send_QUERY(self.opening)
        if tenant is not None:
            self._send_parts(BINDS_TENANT, binding([tenant]))
        return tenant is not None

    def _send_parts(self, parsed: bytes, given: bytes) -> None:
        self._send_message(PARSE, parsed)
        self._send_message(DESCRIBE, STATEMENT + NULL_BYTE)
        self._send_message(BIND, given)
        self._send_message(EXECUTE, ALL_ROWS)
        self._send_message(SYNC, b"")

    def _bind(self, before: Context) -> None:
        try:
            self.handle_messages(Context(BIND_TENANT))
        except DatabaseError:
            with suppress(DatabaseError):
                self.handle_messages(before)  # which fails in what has failed
            raise


def open_native(door: Door, timeout_s: float) -> pg8000.native.Connection:
    """Return one of the driver's own connections, outside the pool; no answer may take longer than so many seconds."""
    return _opened(pg8000.native.Connection, door, timeout_s)


def open_connection(door: Door, timeout_s: float, begins: str | None = None) -> Connection:
    """Return a new connection for a pool, and let its transactions begin with these words, if there are any."""
    connection: Connection = _opened(Connection, door, timeout_s)
    connection.opening = begins or connection.opening
    return connection


def _opened(kind: type[Any], door: Door, timeout_s: float) -> Any:  # noqa: ANN401 - the driver is untyped
    """Connect; whom the server refuses is told why, also where it has hung up before the driver could say goodbye."""
    try:
        return _at_once(kind(**_where(door, timeout_s)))
    except (InterfaceError, OSError) as error:
        refused: BaseException | None = error.__context__
        while refused is not None and not isinstance(refused, DatabaseError):
            refused = refused.__context__
        if refused is None:
            raise
        raise refused from error


def _where(door: Door, timeout_s: float) -> dict[str, Any]:
    """Return what the driver takes for the address as it is at this moment."""
    address, arguments = parse_address(door.address())
    who = {"user": address.username or "", "password": address.password, "database": address.database}
    return {"host": address.host or "localhost", "port": address.port or 5432, "timeout": timeout_s, **who, **arguments}


def _at_once(connection: Any) -> Any:  # noqa: ANN401 - the driver is untyped
    """Mend how moments are read, and switch Nagle's algorithm off: multi-packet statements would wait 40 ms."""
    connection.register_in_adapter(TIMESTAMPTZ, _moment)
    plain = connection._usock  # noqa: SLF001 - the driver has no name for it
    if plain.family in {socket.AF_INET, socket.AF_INET6}:
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return connection
