"""Exit codes: what a script may rely on."""

from enum import IntEnum
from http import HTTPStatus
from typing import Final

from carapulse.kernel.errors import Conflict, Denied, NotFound, Problem, Unauthenticated, Unavailable


class ExitCode(IntEnum):
    """How a command ended."""

    OK = 0
    REFUSED = 1
    INVALID = 2
    NOT_FOUND = 3
    UNAUTHENTICATED = 4
    UNAVAILABLE = 5
    ENDED_OTHERWISE = 6
    INTERRUPTED = 130

    @property
    def meaning(self) -> str:
        """What the code says, in words."""
        return MEANINGS[self]


MEANINGS: Final[dict[ExitCode, str]] = {
    ExitCode.OK: "done",
    ExitCode.REFUSED: "refused by policy, a role or the state of things (HTTP 403, 409); or evidence is wrong",
    ExitCode.INVALID: "the command or the request is wrong (HTTP 400, 413, 415, 422)",
    ExitCode.NOT_FOUND: "there is no such thing (HTTP 404)",
    ExitCode.UNAUTHENTICATED: "no token, or one that is not accepted (HTTP 401)",
    ExitCode.UNAVAILABLE: "no answer, or not one of Carapulse (HTTP 429, 5xx, timeouts); try again later",
    ExitCode.ENDED_OTHERWISE: "the execution ended other than succeeded (watch, execute --wait)",
    ExitCode.INTERRUPTED: "interrupted",
}

_BY_STATUS: Final[dict[int, ExitCode]] = {
    HTTPStatus.BAD_REQUEST: ExitCode.INVALID,
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: ExitCode.INVALID,
    HTTPStatus.UNSUPPORTED_MEDIA_TYPE: ExitCode.INVALID,
    HTTPStatus.UNPROCESSABLE_ENTITY: ExitCode.INVALID,
    HTTPStatus.UNAUTHORIZED: ExitCode.UNAUTHENTICATED,
    HTTPStatus.NOT_FOUND: ExitCode.NOT_FOUND,
    HTTPStatus.TOO_MANY_REQUESTS: ExitCode.UNAVAILABLE,
}

_BY_FAMILY: Final[tuple[tuple[type[Problem], ExitCode], ...]] = (
    (Unauthenticated, ExitCode.UNAUTHENTICATED),
    (NotFound, ExitCode.NOT_FOUND),
    (Unavailable, ExitCode.UNAVAILABLE),
    (Conflict, ExitCode.REFUSED),
    (Denied, ExitCode.REFUSED),
)


def of_status(status: int) -> ExitCode:
    """Return the exit code for an HTTP status that is not a success."""
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return ExitCode.UNAVAILABLE
    return _BY_STATUS.get(status, ExitCode.REFUSED)


def of_problem(problem: Problem) -> ExitCode:
    """Return the exit code for a problem that arose on this side, without the API."""
    return next((code for family, code in _BY_FAMILY if isinstance(problem, family)), ExitCode.INVALID)
