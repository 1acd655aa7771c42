"""Several questions of one tenant, answered in one turn: for what is read so often that its price is the turns'."""

from collections.abc import Sequence
from contextlib import suppress
from functools import lru_cache
from socket import SHUT_RDWR

from pg8000.core import (
    BIND,
    COMMAND_COMPLETE,
    DATA_ROW,
    EXECUTE,
    PARSE,
    READY_FOR_QUERY,
    SYNC,
    Context,
    _flush,
    ci_unpack,
    i_unpack,
)
from pg8000.exceptions import DatabaseError, InterfaceError
from pg8000.legacy import Connection as Unmended

from carapulse.adapters.postgres.messages import ALL_ROWS, BEGIN, BIND_TENANT, BINDS_TENANT, COMMIT, binding, parsing

Question = tuple[str, tuple[str | list[str] | None, ...]]
"""A statement that changes nothing, with `$1` for its first value, and its values: texts and lists of texts."""
Rows = list[list[str | None]]
"""What it found: every value as the text that the database spells."""

_HEAD_BYTES = 5
_parsing_of = lru_cache(maxsize=100)(lambda statement, encoding: parsing(statement.encode(encoding)))


class Looking(Unmended):  # type: ignore[misc]
    """A connection that can ask several questions in one message."""

    opening = BEGIN
    """What begins a transaction. Other words than these are those of a session that lasts as long as a transaction."""

    def look(self, tenant: str, questions: Sequence[Question]) -> list[Rows]:
        """Return the rows of each, as text, seen in a transaction of their own that is bound to a tenant.

        To the server, all that comes before it is asked to answer is one transaction. So it takes words of its own to
        begin and end one only where these set something. Since all is text, nobody has to ask first what comes.
        """
        if self._in_transaction:
            raise InterfaceError("a transaction has begun")
        is_opened = self.opening != BEGIN
        asked = self._asked(tenant, questions)
        if is_opened:
            self.send_QUERY(self.opening)
        for each in asked:
            self._send_message(*each)
        if is_opened:
            self.send_QUERY(COMMIT)
        _flush(self._sock)
        return self._answers(is_opened=is_opened)

    def _asked(self, tenant: str, questions: Sequence[Question]) -> list[tuple[bytes, bytes]]:
        """Return the messages. All are spelled before one is sent: what can't be leaves nothing half sent."""
        encoding: str = self._client_encoding
        messages = [(PARSE, BINDS_TENANT), (BIND, binding([tenant.encode(encoding)])), (EXECUTE, ALL_ROWS)]
        for statement, values in questions:
            given = binding([None if value is None else _spelled(value).encode(encoding) for value in values])
            messages += [(PARSE, _parsing_of(statement, encoding)), (BIND, given), (EXECUTE, ALL_ROWS)]
        return [*messages, (SYNC, b"")]

    def _answers(self, *, is_opened: bool) -> list[Rows]:
        if is_opened:
            self._begin()
        try:
            found = self._rows()
        except DatabaseError:
            if is_opened:
                self.handle_messages(Context("rollback"))  # which is what the commit of something that failed is
            raise
        if is_opened:
            self.handle_messages(Context(COMMIT))
        return found[1:]

    def _rows(self) -> list[Rows]:
        """Read until the server is ready again."""
        context, found, rows = Context(BIND_TENANT), list[Rows](), Rows()
        try:
            code = b""
            while code != READY_FOR_QUERY:
                code, length = ci_unpack(self._exactly(_HEAD_BYTES))
                data = self._exactly(length - 4)
                if code == DATA_ROW:
                    rows.append(_texts(data, self._client_encoding))
                elif code == COMMAND_COMPLETE:
                    found.append(rows)
                    rows = []
                else:
                    self.message_types[code](data, context)
        except OSError as error:
            raise InterfaceError("network error") from error
        except BaseException:
            self._end()
            raise
        if context.error is not None:
            raise context.error
        return found

    def _exactly(self, size: int) -> bytes:
        data: bytes = self._sock.read(size)
        if len(data) < size:
            raise InterfaceError("network error")
        return data

    def _begin(self) -> None:
        """Read the answer to what begins a transaction."""
        try:
            self.handle_messages(Context(self.opening))
        except BaseException:
            self._end()  # the answer to the statement behind it is on its way
            raise

    def _end(self) -> None:
        """Cut the connection, so that nobody reads the rest; the pool finds it lost."""
        with suppress(OSError):
            self._usock.shutdown(SHUT_RDWR)


def _spelled(value: str | list[str]) -> str:
    """Return a text as it is, and a list with each in quotes, of which the driver's own takes `null` for nothing."""
    if isinstance(value, str):
        return value
    quoted = (each.replace("\\", "\\\\").replace('"', '\\"') for each in value)
    return "{" + ",".join(f'"{each}"' for each in quoted) + "}"


def _texts(data: bytes, encoding: str) -> list[str | None]:
    """Return the values of a row (DataRow: how many, then the length of each, or -1, before it)."""
    row, at = list[str | None](), 2
    while at < len(data):
        length: int = i_unpack(data, at)[0]
        at += 4
        if length < 0:
            row.append(None)
        else:
            row.append(data[at : at + length].decode(encoding))
            at += length
    return row
