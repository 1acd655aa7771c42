"""Moments, as a caller writes them and as they are kept."""

import re
from datetime import UTC, datetime
from typing import Annotated

from pydantic import AfterValidator, AwareDatetime, BeforeValidator, Field

_RFC3339 = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d{1,9})?([Zz]|[+-]\d\d:\d\d)", re.ASCII)


def _written(value: object) -> object:
    if isinstance(value, str) and not _RFC3339.fullmatch(value):
        raise ValueError("a moment is written as RFC 3339 has it, with an offset: 2026-11-27T08:00:00Z")
    if isinstance(value, bool | int | float):
        raise ValueError("a moment is text, as RFC 3339 has it")  # noqa: TRY004 - pydantic reports ValueError alone
    return value


def _in_utc(at: datetime) -> datetime:
    return at.astimezone(UTC)


Moment = Annotated[
    AwareDatetime,
    BeforeValidator(_written),
    Field(ge=datetime(1970, 1, 1, tzinfo=UTC), lt=datetime(9999, 1, 1, tzinfo=UTC)),
]
"""A moment as a caller writes it: RFC 3339 with an offset; a bare number could mean seconds or milliseconds."""

Instant = Annotated[AwareDatetime, AfterValidator(_in_utc)]
"""A moment that is kept. It is spelled alike wherever it was read, so that digests and ETags over it hold."""
