"""What can be asked of playbooks and runbooks. One function is one thing that can be asked for, of either kind."""

from carapulse.kernel.call import Call
from carapulse.kernel.cursor import Page, Wanted
from carapulse.kernel.patch import MergePatch, is_same, patched
from carapulse.kernel.precondition import WHICHEVER, Match
from carapulse.knowledge.events import DocumentCreated, DocumentDeleted, DocumentRevised
from carapulse.knowledge.model import (
    CreatePlaybook,
    CreateRunbook,
    Document,
    DocumentSummary,
    DocumentVersion,
    Kind,
    VersionSummary,
    new_document,
    shown,
)
from carapulse.knowledge.ports import Documents, KnowledgePorts, PlaybookFilter


def create_document(kind: Kind, command: CreatePlaybook | CreateRunbook, call: Call, ports: KnowledgePorts) -> Document:
    """Keep a new document as its version 1; raise NameTaken if there is one of that name."""
    document, first = new_document(kind, command, call)
    with ports.begin(call) as work:
        work.documents(kind).add(document, first)
        work.record(document.id, DocumentCreated.of(kind, document))
    return shown(document, first)


def list_documents(kind: Kind, wanted: PlaybookFilter, call: Call, ports: KnowledgePorts) -> Page[DocumentSummary]:
    """Return documents by name."""
    with ports.begin(call) as work:
        return work.documents(kind).page(wanted)


def get_document(kind: Kind, document_id: str, call: Call, ports: KnowledgePorts) -> Document:
    """Return a document with what its newest version says."""
    with ports.begin(call) as work:
        documents = work.documents(kind)
        return _shown(documents.get(document_id), documents)


def revise_document(
    kind: Kind, document_id: str, patch: MergePatch, call: Call, ports: KnowledgePorts, seen: Match = WHICHEVER
) -> Document:
    """Make the next version of a document from its newest; a patch that changes nothing makes none."""
    with ports.begin(call) as work:
        documents = work.documents(kind)
        document = documents.lock(document_id)
        former = documents.version(document.id, document.version)
        seen.check(shown(document, former))
        content = patched(former.content, patch)
        if is_same(content, former.content):
            return shown(document, former)
        version = DocumentVersion.of(document.id, document.version + 1, content, call)
        revised = document.revised(version)
        documents.revise(revised, version)
        work.record(document.id, DocumentRevised.of(kind, revised))
    return shown(revised, version)


def delete_document(kind: Kind, document_id: str, call: Call, ports: KnowledgePorts, seen: Match = WHICHEVER) -> None:
    """Show a document no more. Its name is free for another; its versions stay as evidence."""
    with ports.begin(call) as work:
        documents = work.documents(kind)
        document = documents.lock(document_id)
        seen.check(_shown(document, documents))
        documents.delete(document, call.at)
        work.record(document.id, DocumentDeleted.of(kind, document))


def list_versions(
    kind: Kind, document_id: str, wanted: Wanted, call: Call, ports: KnowledgePorts
) -> Page[VersionSummary]:
    """Return the versions of a document, the newest first."""
    with ports.begin(call) as work:
        documents = work.documents(kind)
        return documents.versions(documents.get(document_id).id, wanted)


def get_version(kind: Kind, document_id: str, number: int, call: Call, ports: KnowledgePorts) -> DocumentVersion:
    """Return what one version of a document says."""
    with ports.begin(call) as work:
        documents = work.documents(kind)
        return documents.version(documents.get(document_id).id, number)


def _shown(document: DocumentSummary, documents: Documents) -> Document:
    return shown(document, documents.version(document.id, document.version))
