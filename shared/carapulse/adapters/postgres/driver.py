"""The driver, pg8000, mended where a connection that can't be used any more would be used all the same.

It lets a timeout or a cut through as the operating system's error, in which the pool sees no lost connection. And what
it can't decode it leaves half read: the next statement, maybe another tenant's, would get what is left of the answer.
"""

from contextlib import suppress
from socket import SHUT_RDWR
from typing import Any

from pg8000.exceptions import InterfaceError
from pg8000.legacy import Connection as Unmended


class Connection(Unmended):  # type: ignore[misc]
    """A connection that ends when it is out of step with the server."""

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


def open_connection(_dialect: object, _record: object, arguments: list[Any], options: dict[str, Any]) -> Connection:
    """Return a new connection for the pool."""
    return Connection(*arguments, **options)
