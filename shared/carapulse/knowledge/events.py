"""What happens to what is known. Each is a fact in the stream of its document or memory; none holds what that says."""

from typing import Self

from carapulse.kernel.event import Event
from carapulse.knowledge.memories import Memory
from carapulse.knowledge.model import DocumentSummary, Kind


class _Document(Event):
    document_id: str
    kind: Kind
    service: str | None
    name: str
    version: int
    digest: str

    @classmethod
    def of(cls, kind: Kind, document: DocumentSummary) -> Self:
        """Return the fact about this document."""
        return cls(
            document_id=document.id,
            kind=kind,
            service=document.service,
            name=document.name,
            version=document.version,
            digest=document.digest,
        )


class DocumentCreated(_Document):
    """There is a new playbook or runbook."""


class DocumentRevised(_Document):
    """A playbook or runbook has a further version; those before it stay as they are."""


class DocumentDeleted(_Document):
    """A playbook or runbook is shown no more and its name is free; its versions stay as evidence."""


class _Memory(Event):
    memory_id: str
    title: str
    owner: str
    digest: str

    @classmethod
    def of(cls, memory: Memory) -> Self:
        """Return the fact about this memory."""
        return cls(memory_id=memory.id, title=memory.title, owner=memory.owner, digest=memory.fingerprint())


class MemoryKept(_Memory):
    """Somebody wrote down what should be remembered."""


class MemoryChanged(_Memory):
    """What is remembered is another than before."""


class MemoryForgotten(_Memory):
    """A memory was deleted; nothing but the digest of what it said is left."""
