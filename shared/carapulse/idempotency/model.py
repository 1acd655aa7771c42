"""A key, the request that it belongs to, and what became of it. Pure."""

import re
from collections.abc import Sequence
from enum import StrEnum
from http import HTTPStatus
from typing import Any, Final, Self

from pydantic import Field

from carapulse.idempotency.errors import AnswerLost, AnswerSecret, AnswerTooLarge, KeyInUse, KeyMalformed, KeyReused
from carapulse.kernel.call import Scope
from carapulse.kernel.record import Record

HEADER: Final = "Idempotency-Key"
REPLAYED: Final = "Idempotent-Replayed"
LEASE_S: Final = 60
"""Seconds after which a request that wrote nothing may be thought dead, and be carried out by the next."""

LARGEST_ANSWER: Final = 262_144
"""Bytes of a body that is kept; of a larger one only that it was given."""

_LONGEST = 255
PATTERN: Final = r'^(?:"(?:[\x21\x23-\x5b\x5d-\x7e]|\\["\\]){1,255}"|[A-Za-z0-9!#$%&\'*+.^_`|~:/=@-]{1,255})$'
"""A string as RFC 8941 writes it, or a UUID and its like without quotation marks."""

_GIVEN = re.compile(PATTERN)
_ESCAPED = re.compile(r"\\(.)")

_PASSING = frozenset({HTTPStatus.UNAUTHORIZED, HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_MANY_REQUESTS})
_DEPENDING = frozenset(
    {HTTPStatus.FORBIDDEN, HTTPStatus.CONFLICT, HTTPStatus.PRECONDITION_FAILED, HTTPStatus.PRECONDITION_REQUIRED}
)


def read_key(given: Sequence[str]) -> str | None:
    """Return the key in the headers of that name, None if there is none, or raise KeyMalformed."""
    if not given:
        return None
    if len(given) > 1 or not _GIVEN.fullmatch(given[0]):
        raise KeyMalformed(f"{HEADER} must be given once, as 1 to {_LONGEST} visible characters", most=_LONGEST)
    return _ESCAPED.sub(r"\1", given[0][1:-1]) if given[0].startswith('"') else given[0]


class Asked(Record):
    """A request with a key. Two with one fingerprint ask for the same."""

    key: str = Field(min_length=1, max_length=_LONGEST)
    fingerprint: str


class Answer(Record):
    """What was answered: the headers that say something about it, the body in base64, and what who got it may touch."""

    status: int
    headers: dict[str, str]
    body: str
    scope: Scope = Scope()


class Given(Record):
    """An answer that is about to be given, and the permission that was needed to get it."""

    answer: Answer
    size: int
    permission: str | None = Field(description="None if no guard let the request through")
    is_secret: bool = False

    @property
    def is_passing(self) -> bool:
        """Whether the same request may be answered otherwise, whatever it was that it began."""
        status = self.answer.status
        return self.permission is None or status >= HTTPStatus.INTERNAL_SERVER_ERROR or status in _PASSING

    @property
    def depends(self) -> bool:
        """Whether the same request may be answered otherwise if it wrote nothing: things change."""
        return self.answer.status in _DEPENDING

    @property
    def withheld(self) -> "Withheld | None":
        """Why the answer itself must not be kept, or None."""
        if self.is_secret and self.answer.status < HTTPStatus.BAD_REQUEST:
            return Withheld.SECRET
        return Withheld.SIZE if self.size > LARGEST_ANSWER else None


class State(StrEnum):
    """How far the request of a key has come."""

    RUNNING = "running"
    WRITTEN = "written"
    ANSWERED = "answered"


class Withheld(StrEnum):
    """Why an answer was not kept."""

    SECRET = "secret"  # noqa: S105 - a reason, and none itself
    SIZE = "size"


class Held(Record):
    """A key that was given to a request before."""

    fingerprint: str
    state: State
    trace: str
    lease_s: float = Field(description="seconds until the request may be thought dead")
    permission: str | None
    status: int | None
    location: str | None
    withheld: Withheld | None
    sealed: str | None

    def repeated(self, asked: Asked) -> Self:
        """Return this if its answer is also the answer to the other request; otherwise raise what is."""
        if self.fingerprint != asked.fingerprint:
            raise KeyReused("the key was given to another request", first_trace_id=self.trace)
        if self.state is State.ANSWERED:
            return self._shown()
        if self.lease_s > 0 or self.state is State.RUNNING:
            raise KeyInUse("the first request with this key is not answered yet", retry_after=1)
        raise AnswerLost("the first request changed something; its answer was lost", first_trace_id=self.trace)

    def _shown(self) -> Self:
        facts: dict[str, Any] = {"first_trace_id": self.trace, "first_status": self.status, "location": self.location}
        match self.withheld:
            case None:
                return self
            case Withheld.SECRET:
                raise AnswerSecret("the first answer has a secret in it, and was not kept", **facts)
            case Withheld.SIZE:
                raise AnswerTooLarge("the first answer was too large to be kept", **facts)
