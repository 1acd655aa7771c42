"""The error families. Each family is named for what the caller should do next.

* Problem
  * Invalid          correct the request
  * Unauthenticated  say who you are
  * NotFound         ask for something that exists
  * Conflict         read again, then retry
  * Denied           policy said no; a different actor or plan is needed
  * Unavailable      wait, then retry the same request
  * CorruptRow       tell an operator; it is our fault, and nothing the caller does helps

Areas derive narrower classes with a `code` of their own. Edges translate once: an HTTP body (RFC 9457), a failed
message, an exit code. Anything that is not a Problem is a bug and stays loud.
"""

from http import HTTPStatus
from typing import ClassVar

from carapulse.kernel.record import Record


class Fault(Record):
    """One thing wrong with a request: where (RFC 6901 JSON pointer), which kind, and in words."""

    pointer: str
    code: str
    detail: str


class Problem(Exception):  # noqa: N818 - the suffix would add nothing
    """Something the caller can be told about. `code` is public and stable; `facts` are safe to show."""

    code: ClassVar[str] = "problem"
    status: ClassVar[HTTPStatus] = HTTPStatus.INTERNAL_SERVER_ERROR
    retryable: ClassVar[bool] = False

    def __init__(self, detail: str, *, faults: tuple[Fault, ...] = (), **facts: object) -> None:
        super().__init__(detail)
        self.detail = detail
        self.faults = faults
        self.facts = facts


class Invalid(Problem):
    """The request cannot be understood or is not allowed by its own shape."""

    code = "invalid"
    status = HTTPStatus.UNPROCESSABLE_ENTITY


class TooLarge(Invalid):
    """The body is larger than is read."""

    code = "too-large"
    status = HTTPStatus.REQUEST_ENTITY_TOO_LARGE


class Unauthenticated(Problem):
    """Nobody, or nobody we can believe, is asking."""

    code = "unauthenticated"
    status = HTTPStatus.UNAUTHORIZED


class NotFound(Problem):
    """What was asked for does not exist, or not for this tenant."""

    code = "not-found"
    status = HTTPStatus.NOT_FOUND


class Conflict(Problem):
    """The thing changed, or is not in a state that allows this."""

    code = "conflict"
    status = HTTPStatus.CONFLICT


class Denied(Problem):
    """Policy or role refused."""

    code = "denied"
    status = HTTPStatus.FORBIDDEN


class Unavailable(Problem):
    """Something we depend on did not answer."""

    code = "unavailable"
    status = HTTPStatus.SERVICE_UNAVAILABLE
    retryable = True


class CorruptRow(Problem):
    """What is stored is not what must have been stored; an operator has to look at the row that is named."""

    code = "corrupt-row"
