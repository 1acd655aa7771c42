"""What the log holds: an entry is one event in its place; sealed, it carries its hash."""

from typing import Any

from pydantic import AwareDatetime, Field

from carapulse.kernel.record import Record


class Entry(Record):
    """One event in its place in one stream, before its hash is known."""

    tenant: str = Field(min_length=1)
    stream: str = Field(min_length=1, description="the id of what it is about; for a plan, the plan's id")
    seq: int = Field(ge=1)
    id: str = Field(min_length=1)
    type: str = Field(min_length=1)
    at: AwareDatetime
    actor: str = Field(min_length=1)
    trace: str
    body: dict[str, Any]
    prev: str = Field(description="the hash of the entry before it, or empty for the first")


class SealedEntry(Entry):
    """One event as the log holds it, with the hash that the next one names."""

    hash: str
