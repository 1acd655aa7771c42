"""What is known, kept in Postgres."""

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, any_, delete, insert, literal, select, tuple_, update
from sqlalchemy.dialects.postgresql import insert as insert_or

from carapulse.kernel.canonical import canonical
from carapulse.kernel.cursor import Page, Wanted
from carapulse.kernel.errors import NotFound
from carapulse.kernel.words import LAST_CHARACTER
from carapulse.knowledge.errors import (
    DocumentVersionNotFound,
    MemoryNotFound,
    NameTaken,
    PlaybookNotFound,
    RunbookNotFound,
)
from carapulse.knowledge.memories import Memory, MemorySummary
from carapulse.knowledge.model import DocumentSummary, DocumentVersion, Kind, VersionSummary
from carapulse.knowledge.ports import MemoryFilter, PlaybookFilter
from carapulse.knowledge.tables import document_versions, documents, memories
from carapulse.rows import corrupt_row, read_row

_MISSING: dict[Kind, type[NotFound]] = {"playbook": PlaybookNotFound, "runbook": RunbookNotFound}
_DOCUMENT = [documents.c[name] for name in DocumentSummary.model_fields]
_VERSION = [document_versions.c[name] for name in DocumentVersion.model_fields]
_VERSION_SUMMARY = [document_versions.c[name] for name in VersionSummary.model_fields]
_MEMORY = [memories.c[name] for name in Memory.model_fields]
_MEMORY_SUMMARY = [memories.c[name] for name in MemorySummary.model_fields]


@dataclass(frozen=True, slots=True)
class PostgresDocuments:
    """The documents of one kind of one tenant, within one transaction."""

    connection: Connection
    tenant: str
    kind: Kind

    def page(self, wanted: PlaybookFilter) -> Page[DocumentSummary]:
        """Return documents by name."""
        query = select(*_DOCUMENT).where(*self._there()).order_by(documents.c.name, documents.c.id)
        for name in ("name", "service"):
            if (value := getattr(wanted, name, None)) is not None:
                query = query.where(documents.c[name] == value)
        if wanted.tag is not None:
            query = query.where(literal(wanted.tag) == any_(documents.c.tags))
        if wanted.q is not None:
            query = query.where(_begins(documents.c.name, wanted.q))
        if wanted.cursor is not None:
            query = query.where(tuple_(documents.c.name, documents.c.id) > tuple_(*json.loads(wanted.cursor)))
        found = [_document(dict(row)) for row in self.connection.execute(query.limit(wanted.limit + 1)).mappings()]
        return wanted.cut(found, lambda last: canonical([last.name, last.id]).decode())

    def get(self, document_id: str) -> DocumentSummary:
        """Return the document, or raise PlaybookNotFound or RunbookNotFound."""
        return self._one(select(*_DOCUMENT), document_id)

    def lock(self, document_id: str) -> DocumentSummary:
        """Return the document, which nobody else can change until the transaction ends."""
        return self._one(select(*_DOCUMENT).with_for_update(), document_id)

    def add(self, document: DocumentSummary, first: DocumentVersion) -> None:
        """Keep a new document and its first version; raise NameTaken if its name is in use."""
        row = {"tenant": self.tenant, "kind": self.kind, **dict(document), "tags": list(document.tags)}
        query = insert_or(documents).values(row).on_conflict_do_nothing().returning(documents.c.id)
        if self.connection.execute(query).one_or_none() is None:
            raise NameTaken(f"there is a {self.kind} of that name", service=document.service, name=document.name)
        self._keep(first)

    def revise(self, document: DocumentSummary, version: DocumentVersion) -> None:
        """Keep a further version of a locked document, and what the document is with it."""
        self._keep(version)
        query = update(documents).where(documents.c.tenant == self.tenant, documents.c.id == document.id)
        self.connection.execute(query.values({**dict(document), "tags": list(document.tags)}))

    def delete(self, document: DocumentSummary, at: datetime) -> None:
        """Show a locked document no more, and let its name go; its versions stay."""
        query = update(documents).where(documents.c.tenant == self.tenant, documents.c.id == document.id)
        self.connection.execute(query.values(deleted_at=at))

    def versions(self, document_id: str, wanted: Wanted) -> Page[VersionSummary]:
        """Return the versions of a document, the newest first."""
        number = document_versions.c.version
        query = select(*_VERSION_SUMMARY).where(*self._said(document_id)).order_by(number.desc())
        if wanted.cursor is not None:
            query = query.where(number < int(wanted.cursor))
        rows = self.connection.execute(query.limit(wanted.limit + 1)).mappings()
        found = [read_row(VersionSummary, dict(row), table="knowledge_versions", row_id=document_id) for row in rows]
        return wanted.cut(found, lambda last: str(last.version))

    def version(self, document_id: str, number: int) -> DocumentVersion:
        """Return one version, or raise DocumentVersionNotFound; CorruptRow if its digest is another one."""
        query = select(*_VERSION).where(*self._said(document_id), document_versions.c.version == number)
        row = self.connection.execute(query).mappings().one_or_none()
        if row is None:
            raise DocumentVersionNotFound("there is no such version", document_id=document_id, version=number)
        row_id = f"{document_id}/{number}"
        version = read_row(DocumentVersion, dict(row), table="knowledge_versions", row_id=row_id)
        if version.fingerprint() != version.digest:
            raise corrupt_row("knowledge_versions", row_id, "its digest is another one")
        return version

    def _one(self, query: Select[Any], document_id: str) -> DocumentSummary:
        found = self.connection.execute(query.where(*self._there(), documents.c.id == document_id))
        row = found.mappings().one_or_none()
        if row is None:
            raise _MISSING[self.kind](f"no such {self.kind}", document_id=document_id)
        return _document(dict(row))

    def _there(self) -> tuple[ColumnElement[bool], ...]:
        return (documents.c.tenant == self.tenant, documents.c.kind == self.kind, documents.c.deleted_at.is_(None))

    def _said(self, document_id: str) -> tuple[ColumnElement[bool], ...]:
        return (document_versions.c.tenant == self.tenant, document_versions.c.document_id == document_id)

    def _keep(self, version: DocumentVersion) -> None:
        row = {"tenant": self.tenant, **dict(version), "tags": list(version.tags)}
        self.connection.execute(insert(document_versions).values(row))


@dataclass(frozen=True, slots=True)
class PostgresMemories:
    """What one tenant remembers, within one transaction."""

    connection: Connection
    tenant: str

    def page(self, wanted: MemoryFilter) -> Page[MemorySummary]:
        """Return memories, the newest first."""
        query = select(*_MEMORY_SUMMARY).where(memories.c.tenant == self.tenant).order_by(memories.c.id.desc())
        if wanted.owner is not None:
            query = query.where(memories.c.owner == wanted.owner)
        if wanted.tag is not None:
            query = query.where(literal(wanted.tag) == any_(memories.c.tags))
        if wanted.q is not None:
            query = query.where(_begins(memories.c.title, wanted.q))
        if wanted.cursor is not None:
            query = query.where(memories.c.id < wanted.cursor)
        rows = self.connection.execute(query.limit(wanted.limit + 1)).mappings()
        found = [read_row(MemorySummary, dict(row), table="memories", row_id=row["id"]) for row in rows]
        return wanted.cut(found, lambda last: last.id)

    def get(self, memory_id: str) -> Memory:
        """Return the memory, or raise MemoryNotFound."""
        return self._one(select(*_MEMORY), memory_id)

    def lock(self, memory_id: str) -> Memory:
        """Return the memory, which nobody else can change until the transaction ends."""
        return self._one(select(*_MEMORY).with_for_update(), memory_id)

    def add(self, memory: Memory) -> None:
        """Keep a new memory."""
        self.connection.execute(insert(memories).values({"tenant": self.tenant, **_memory_row(memory)}))

    def replace(self, memory: Memory) -> None:
        """Keep a locked memory as it now is."""
        query = update(memories).where(memories.c.tenant == self.tenant, memories.c.id == memory.id)
        self.connection.execute(query.values(_memory_row(memory)))

    def delete(self, memory_id: str) -> None:
        """Forget a locked memory."""
        query = delete(memories).where(memories.c.tenant == self.tenant, memories.c.id == memory_id)
        self.connection.execute(query)

    def _one(self, query: Select[Any], memory_id: str) -> Memory:
        found = self.connection.execute(query.where(memories.c.tenant == self.tenant, memories.c.id == memory_id))
        row = found.mappings().one_or_none()
        if row is None:
            raise MemoryNotFound("no such memory", memory_id=memory_id)
        return read_row(Memory, dict(row), table="memories", row_id=memory_id)


def _begins(column: ColumnElement[str], beginning: str) -> ColumnElement[bool]:
    """Return the condition that a text begins so, spelled as a range: an index finds it, also behind the wall."""
    return column.between(beginning, beginning + LAST_CHARACTER)


def _document(row: dict[str, Any]) -> DocumentSummary:
    return read_row(DocumentSummary, row, table="knowledge_documents", row_id=row["id"])


def _memory_row(memory: Memory) -> dict[str, Any]:
    return {**dict(memory), "tags": list(memory.tags)}
