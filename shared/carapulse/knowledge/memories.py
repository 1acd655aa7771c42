"""Memory: what somebody wrote down to be remembered. Pure values."""

from typing import Self

from pydantic import Field, JsonValue

from carapulse.identity.model import Role
from carapulse.kernel.call import Actor, Call
from carapulse.kernel.canonical import digest
from carapulse.kernel.ids import new_id
from carapulse.kernel.moment import Instant
from carapulse.kernel.record import Record
from carapulse.kernel.words import Data, Prose, Tags, Title
from carapulse.knowledge.errors import NotYourMemory


class MemoryContent(Record):
    """What is to be remembered."""

    title: Title
    body: Prose = ""
    tags: Tags = ()
    metadata: Data = Field(default_factory=dict)


class MemorySummary(Record):
    """A memory without what it says. Its owner is who wrote it down."""

    id: str
    title: str
    tags: tuple[str, ...]
    owner: str
    created_at: Instant
    updated_at: Instant


class Memory(MemorySummary):
    """A memory with what it says."""

    body: str
    metadata: dict[str, JsonValue]

    @classmethod
    def of(cls, content: MemoryContent, call: Call) -> Self:
        """Return a new memory of the caller's."""
        about = {"id": new_id("memory"), "owner": call.actor.id, "created_at": call.at, "updated_at": call.at}
        return cls.model_validate({**about, **dict(content)})

    @property
    def content(self) -> MemoryContent:
        """What it says, to be changed; it was checked when it was said."""
        return MemoryContent.model_construct(**{name: getattr(self, name) for name in MemoryContent.model_fields})

    def fingerprint(self) -> str:
        """Return the digest of what it says."""
        return digest(self.content.model_dump(mode="json"))

    def changed(self, content: MemoryContent, call: Call) -> Self:
        """Return this memory saying something else."""
        return self.model_copy(update={**dict(content), "updated_at": call.at})

    def check_owner(self, actor: Actor) -> None:
        """Return if somebody may change or forget this, or raise NotYourMemory."""
        if actor.id != self.owner and Role.ADMIN not in actor.roles:
            raise NotYourMemory("only its owner or an administrator may do this", memory_id=self.id, owner=self.owner)
