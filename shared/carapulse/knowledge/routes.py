"""Playbooks, runbooks and memory over HTTP. Who changes something names the ETag of what was read."""

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Path, Query
from pydantic import Field

from carapulse.conditions import IfMatch, ThisTag
from carapulse.examples import shows
from carapulse.kernel.cursor import Page, Wanted
from carapulse.kernel.patch import MergePatch
from carapulse.kernel.spelling import WHOLE
from carapulse.knowledge.examples import MEMORIES, PLAYBOOKS, REMEMBERING, REVISING, RUNBOOKS
from carapulse.knowledge.memories import Memory, MemoryContent, MemorySummary
from carapulse.knowledge.model import (
    CreatePlaybook,
    CreateRunbook,
    Document,
    DocumentSummary,
    DocumentVersion,
    VersionSummary,
)
from carapulse.knowledge.ports import MemoryFilter, PlaybookFilter, RunbookFilter
from carapulse.knowledge.remembering import change_memory, forget_memory, get_memory, keep_memory, list_memories
from carapulse.knowledge.usecases import (
    create_document,
    delete_document,
    get_document,
    get_version,
    list_documents,
    list_versions,
    revise_document,
)
from carapulse.paging import ThesePages
from carapulse.routing import Ports, ThisCall, needs

router = APIRouter(tags=["knowledge"])
Number = Annotated[int, Field(ge=1, le=1_000_000_000), WHOLE, Path()]


@router.post(
    "/v1/playbooks",
    status_code=HTTPStatus.CREATED,
    dependencies=[needs("playbook:write")],
    openapi_extra=shows(PLAYBOOKS),
)
def create_playbook(command: CreatePlaybook, tag: ThisTag, call: ThisCall, ports: Ports) -> Document:
    """Keep a new playbook as its version 1."""
    playbook = create_document("playbook", command, call, ports)
    return tag.at(f"/v1/playbooks/{playbook.id}", playbook)


@router.get("/v1/playbooks", dependencies=[needs("playbook:read")])
def list_playbooks(
    wanted: Annotated[PlaybookFilter, Query()], pages: ThesePages, call: ThisCall, ports: Ports
) -> Page[DocumentSummary]:
    """List playbooks by name; `q` is how a name begins."""
    return pages.turn(lambda wanted: list_documents("playbook", wanted, call, ports), wanted)


@router.get("/v1/playbooks/{playbook_id}", dependencies=[needs("playbook:read")])
def get_playbook(playbook_id: str, tag: ThisTag, call: ThisCall, ports: Ports) -> Document:
    """Show a playbook with what its newest version says."""
    return tag.on(get_document("playbook", playbook_id, call, ports))


@router.patch("/v1/playbooks/{playbook_id}", dependencies=[needs("playbook:write")], openapi_extra=shows(REVISING))
def patch_playbook(
    playbook_id: str, patch: MergePatch, seen: IfMatch, tag: ThisTag, call: ThisCall, ports: Ports
) -> Document:
    """Make the next version of a playbook: `tags` and `spec` are patched."""
    return tag.on(revise_document("playbook", playbook_id, patch, call, ports, seen))


@router.delete(
    "/v1/playbooks/{playbook_id}", status_code=HTTPStatus.NO_CONTENT, dependencies=[needs("playbook:delete")]
)
def delete_playbook(playbook_id: str, seen: IfMatch, call: ThisCall, ports: Ports) -> None:
    """Show a playbook no more, and free its name."""
    delete_document("playbook", playbook_id, call, ports, seen)


@router.get("/v1/playbooks/{playbook_id}/versions", dependencies=[needs("playbook:read")])
def list_playbook_versions(
    playbook_id: str, wanted: Annotated[Wanted, Query()], pages: ThesePages, call: ThisCall, ports: Ports
) -> Page[VersionSummary]:
    """List the versions of a playbook, the newest first."""
    return pages.turn(lambda wanted: list_versions("playbook", playbook_id, wanted, call, ports), wanted)


@router.get("/v1/playbooks/{playbook_id}/versions/{number}", dependencies=[needs("playbook:read")])
def get_playbook_version(
    playbook_id: str, number: Number, tag: ThisTag, call: ThisCall, ports: Ports
) -> DocumentVersion:
    """Show what one version of a playbook says."""
    return tag.on(get_version("playbook", playbook_id, number, call, ports))


@router.post(
    "/v1/runbooks", status_code=HTTPStatus.CREATED, dependencies=[needs("runbook:write")], openapi_extra=shows(RUNBOOKS)
)
def create_runbook(command: CreateRunbook, tag: ThisTag, call: ThisCall, ports: Ports) -> Document:
    """Keep a new runbook of a service as its version 1."""
    runbook = create_document("runbook", command, call, ports)
    return tag.at(f"/v1/runbooks/{runbook.id}", runbook)


@router.get("/v1/runbooks", dependencies=[needs("runbook:read")])
def list_runbooks(
    wanted: Annotated[RunbookFilter, Query()], pages: ThesePages, call: ThisCall, ports: Ports
) -> Page[DocumentSummary]:
    """List runbooks by name; `q` is how a name begins."""
    return pages.turn(lambda wanted: list_documents("runbook", wanted, call, ports), wanted)


@router.get("/v1/runbooks/{runbook_id}", dependencies=[needs("runbook:read")])
def get_runbook(runbook_id: str, tag: ThisTag, call: ThisCall, ports: Ports) -> Document:
    """Show a runbook with what its newest version says."""
    return tag.on(get_document("runbook", runbook_id, call, ports))


@router.patch("/v1/runbooks/{runbook_id}", dependencies=[needs("runbook:write")], openapi_extra=shows(REVISING))
def patch_runbook(
    runbook_id: str, patch: MergePatch, seen: IfMatch, tag: ThisTag, call: ThisCall, ports: Ports
) -> Document:
    """Make the next version of a runbook: `tags`, `body` and `spec` are patched."""
    return tag.on(revise_document("runbook", runbook_id, patch, call, ports, seen))


@router.delete("/v1/runbooks/{runbook_id}", status_code=HTTPStatus.NO_CONTENT, dependencies=[needs("runbook:delete")])
def delete_runbook(runbook_id: str, seen: IfMatch, call: ThisCall, ports: Ports) -> None:
    """Show a runbook no more, and free its name."""
    delete_document("runbook", runbook_id, call, ports, seen)


@router.get("/v1/runbooks/{runbook_id}/versions", dependencies=[needs("runbook:read")])
def list_runbook_versions(
    runbook_id: str, wanted: Annotated[Wanted, Query()], pages: ThesePages, call: ThisCall, ports: Ports
) -> Page[VersionSummary]:
    """List the versions of a runbook, the newest first."""
    return pages.turn(lambda wanted: list_versions("runbook", runbook_id, wanted, call, ports), wanted)


@router.get("/v1/runbooks/{runbook_id}/versions/{number}", dependencies=[needs("runbook:read")])
def get_runbook_version(runbook_id: str, number: Number, tag: ThisTag, call: ThisCall, ports: Ports) -> DocumentVersion:
    """Show what one version of a runbook says."""
    return tag.on(get_version("runbook", runbook_id, number, call, ports))


@router.post(
    "/v1/memory", status_code=HTTPStatus.CREATED, dependencies=[needs("memory:write")], openapi_extra=shows(MEMORIES)
)
def create_memory(content: MemoryContent, tag: ThisTag, call: ThisCall, ports: Ports) -> Memory:
    """Write down what should be remembered; it belongs to whoever does."""
    memory = keep_memory(content, call, ports)
    return tag.at(f"/v1/memory/{memory.id}", memory)


@router.get("/v1/memory", dependencies=[needs("memory:read")])
def list_memory(
    wanted: Annotated[MemoryFilter, Query()], pages: ThesePages, call: ThisCall, ports: Ports
) -> Page[MemorySummary]:
    """List memories, the newest first; `q` is how a title begins."""
    return pages.turn(lambda wanted: list_memories(wanted, call, ports), wanted)


@router.get("/v1/memory/{memory_id}", name="get_memory", dependencies=[needs("memory:read")])
def get_one_memory(memory_id: str, tag: ThisTag, call: ThisCall, ports: Ports) -> Memory:
    """Show a memory."""
    return tag.on(get_memory(memory_id, call, ports))


@router.patch("/v1/memory/{memory_id}", dependencies=[needs("memory:write")], openapi_extra=shows(REMEMBERING))
def patch_memory(
    memory_id: str, patch: MergePatch, seen: IfMatch, tag: ThisTag, call: ThisCall, ports: Ports
) -> Memory:
    """Change what is remembered; only its owner or an administrator may."""
    return tag.on(change_memory(memory_id, patch, call, ports, seen))


@router.delete("/v1/memory/{memory_id}", status_code=HTTPStatus.NO_CONTENT, dependencies=[needs("memory:delete")])
def delete_memory(memory_id: str, seen: IfMatch, call: ThisCall, ports: Ports) -> None:
    """Forget what is remembered; only its owner or an administrator may."""
    forget_memory(memory_id, call, ports, seen)
