"""Playbooks and runbooks: documents whose versions never change. Pure values."""

from typing import Literal, Self

from pydantic import Field, JsonValue

from carapulse.kernel.call import Call
from carapulse.kernel.canonical import digest
from carapulse.kernel.ids import new_id
from carapulse.kernel.moment import Instant
from carapulse.kernel.record import Record
from carapulse.kernel.words import Data, Prose, Tags, Title

Kind = Literal["playbook", "runbook"]


class PlaybookContent(Record):
    """What a version of a playbook says: how a kind of situation is met, as data of whatever shape."""

    tags: Tags = ()
    spec: Data = Field(default_factory=dict)


class RunbookContent(PlaybookContent):
    """What a version of a runbook says: what a person does, as Markdown, and data beside it."""

    body: Prose = ""


class CreatePlaybook(PlaybookContent):
    """A new playbook."""

    name: Title


class CreateRunbook(RunbookContent):
    """A new runbook of a service."""

    service: Title
    name: Title


class VersionSummary(Record):
    """A version of a document without what it says."""

    document_id: str
    version: int = Field(ge=1)
    tags: tuple[str, ...]
    digest: str
    created_at: Instant
    created_by: str


class DocumentVersion(VersionSummary):
    """A version of a document. It never changes, and its digest is over all that it says, and who said it when."""

    body: str | None
    spec: dict[str, JsonValue]

    @classmethod
    def of(cls, document_id: str, version: int, content: PlaybookContent, call: Call) -> Self:
        """Return what the caller says from now on."""
        said = {name: getattr(content, name, None) for name in ("tags", "body", "spec")}
        about = {"document_id": document_id, "version": version, "created_at": call.at, "created_by": call.actor.id}
        unsealed = cls.model_validate({**about, **said, "digest": ""})
        return unsealed.model_copy(update={"digest": unsealed.fingerprint()})

    def fingerprint(self) -> str:
        """Return the digest that this version must have."""
        return digest(self.model_dump(mode="json", exclude={"digest"}))

    @property
    def content(self) -> PlaybookContent:
        """What it says, to be changed; it was checked when it was said."""
        if self.body is None:
            return PlaybookContent.model_construct(tags=self.tags, spec=self.spec)
        return RunbookContent.model_construct(tags=self.tags, spec=self.spec, body=self.body)


class DocumentSummary(Record):
    """A playbook, which has no service, or a runbook: what is known of it without what its newest version says."""

    id: str
    service: str | None
    name: str
    version: int = Field(ge=1)
    tags: tuple[str, ...]
    digest: str
    created_at: Instant
    created_by: str
    updated_at: Instant
    updated_by: str

    @classmethod
    def of(cls, command: CreatePlaybook | CreateRunbook, first: DocumentVersion) -> Self:
        """Return a new document, named as its author wishes."""
        return cls(
            id=first.document_id,
            service=command.service if isinstance(command, CreateRunbook) else None,
            name=command.name,
            version=first.version,
            tags=first.tags,
            digest=first.digest,
            created_at=first.created_at,
            created_by=first.created_by,
            updated_at=first.created_at,
            updated_by=first.created_by,
        )

    def revised(self, version: DocumentVersion) -> Self:
        """Return this document with a further version as its newest."""
        newest = {"version": version.version, "tags": version.tags, "digest": version.digest}
        return self.model_copy(update={**newest, "updated_at": version.created_at, "updated_by": version.created_by})


class Document(DocumentSummary):
    """A playbook, or a runbook, which alone has a body, with what its newest version says."""

    body: str | None
    spec: dict[str, JsonValue]


def new_document(
    kind: Kind, command: CreatePlaybook | CreateRunbook, call: Call
) -> tuple[DocumentSummary, DocumentVersion]:
    """Return a new document and its first version."""
    first = DocumentVersion.of(new_id(kind), 1, command, call)
    return DocumentSummary.of(command, first), first


def shown(summary: DocumentSummary, newest: DocumentVersion) -> Document:
    """Return a document with what its newest version says."""
    return Document(**dict(summary), body=newest.body, spec=newest.spec)
