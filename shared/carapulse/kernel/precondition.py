"""Conditional requests (RFC 9110, 13): a change is made to what the caller has seen, or not at all."""

import base64
import hashlib
import json
from http import HTTPStatus
from typing import Self

from carapulse.kernel.errors import Conflict, Invalid
from carapulse.kernel.record import Record

_DIGEST_BYTES = 18
_SORTED = json.JSONEncoder(separators=(",", ":"), sort_keys=True)
"""Spells what is equal alike, which is all that a tag needs; the canonical form takes eight times as long."""


class PreconditionRequired(Invalid):
    """The request must say which state of the thing it is about (RFC 6585): `If-Match` with the ETag last read."""

    code = "precondition-required"
    status = HTTPStatus.PRECONDITION_REQUIRED


class PreconditionFailed(Conflict):
    """The thing is not in the state that the request is about; read it again."""

    code = "precondition-failed"
    status = HTTPStatus.PRECONDITION_FAILED


def etag_of(view: Record) -> str:
    """Return the strong validator of what is shown: it is another one as soon as anything in it is."""
    shown = hashlib.sha256(_SORTED.encode(view.model_dump(mode="json")).encode()).digest()
    return f'"{base64.urlsafe_b64encode(shown[:_DIGEST_BYTES]).decode()}"'


class Match(Record):
    """The states that a change may start from: those with one of these tags, or none at all; else whichever."""

    tags: frozenset[str] | None = None
    absent: bool = False

    @classmethod
    def parsed(cls, header: str) -> Self:
        """Return what an If-Match header says. A weak tag never matches."""
        if header.strip() == "*":
            return cls()
        return cls(tags=frozenset(tag.strip() for tag in header.split(",")))

    def check(self, view: Record | None) -> None:
        """Return if the thing, as it would be shown now, is in such a state, or raise PreconditionFailed."""
        now = None if view is None else etag_of(view)
        if self.absent and now is not None:
            raise PreconditionFailed("it exists already", etag=now)
        if self.tags is not None and now not in self.tags:
            raise PreconditionFailed("it is not what you have read any more", etag=now)


WHICHEVER = Match()
"""For callers that hold the thing already, like consumers and tests."""
