"""What knowledge needs from the world."""

from typing import Protocol

from carapulse.identity.model import Subject
from carapulse.kernel.call import Call
from carapulse.kernel.cursor import Page, Wanted
from carapulse.kernel.moment import Instant
from carapulse.kernel.words import Tag, Title
from carapulse.kernel.work import Work
from carapulse.knowledge.memories import Memory, MemorySummary
from carapulse.knowledge.model import DocumentSummary, DocumentVersion, Kind, VersionSummary


class PlaybookFilter(Wanted):
    """Which playbooks are wanted, and which page of them; `q` is how their names begin."""

    name: Title | None = None
    tag: Tag | None = None
    q: Title | None = None


class RunbookFilter(PlaybookFilter):
    """Which runbooks are wanted, and which page of them; `q` is how their names begin."""

    service: Title | None = None


class MemoryFilter(Wanted):
    """Which memories are wanted, and which page of them; `q` is how their titles begin."""

    tag: Tag | None = None
    owner: Subject | None = None
    q: Title | None = None


class Documents(Protocol):
    """The documents of one kind. Every call is within one tenant and one transaction; what was deleted is not there."""

    @property
    def kind(self) -> Kind:
        """Which kind."""
        ...

    def page(self, wanted: PlaybookFilter) -> Page[DocumentSummary]:
        """Return documents by name."""
        ...

    def get(self, document_id: str) -> DocumentSummary:
        """Return the document, or raise NotFound."""
        ...

    def lock(self, document_id: str) -> DocumentSummary:
        """Return the document, which nobody else can change until the transaction ends."""
        ...

    def add(self, document: DocumentSummary, first: DocumentVersion) -> None:
        """Keep a new document and its first version; raise NameTaken if its name is in use."""
        ...

    def revise(self, document: DocumentSummary, version: DocumentVersion) -> None:
        """Keep a further version of a locked document, and what the document is with it."""
        ...

    def delete(self, document: DocumentSummary, at: Instant) -> None:
        """Show a locked document no more, and let its name go; its versions stay."""
        ...

    def versions(self, document_id: str, wanted: Wanted) -> Page[VersionSummary]:
        """Return the versions of a document, the newest first."""
        ...

    def version(self, document_id: str, number: int) -> DocumentVersion:
        """Return one version, or raise DocumentVersionNotFound; CorruptRow if its digest is another one."""
        ...


class Memories(Protocol):
    """What is remembered. Every call is within one tenant and one transaction."""

    def page(self, wanted: MemoryFilter) -> Page[MemorySummary]:
        """Return memories, the newest first."""
        ...

    def get(self, memory_id: str) -> Memory:
        """Return the memory, or raise MemoryNotFound."""
        ...

    def lock(self, memory_id: str) -> Memory:
        """Return the memory, which nobody else can change until the transaction ends."""
        ...

    def add(self, memory: Memory) -> None:
        """Keep a new memory."""
        ...

    def replace(self, memory: Memory) -> None:
        """Keep a locked memory as it now is."""
        ...

    def delete(self, memory_id: str) -> None:
        """Forget a locked memory."""
        ...


class KnowledgeWork(Work, Protocol):
    """A unit of work that can reach what is known."""

    def documents(self, kind: Kind) -> Documents:
        """Return the documents of a kind within this unit."""
        ...

    @property
    def memories(self) -> Memories:
        """What is remembered, within this unit."""
        ...


class KnowledgePorts(Protocol):
    """Everything the area asks of the application."""

    def begin(self, call: Call) -> KnowledgeWork:
        """Open a unit of work for the caller's tenant."""
        ...
