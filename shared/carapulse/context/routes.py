"""The context over HTTP."""

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Query

from carapulse.conditions import ThisTag
from carapulse.context.diffing import SnapshotDiff
from carapulse.context.examples import REFRESHING
from carapulse.context.model import KnownNode, RefreshContext, Snapshot
from carapulse.context.ports import GraphWanted, ServiceFilter, SnapshotFilter
from carapulse.context.usecases import (
    diff_snapshots,
    get_node,
    get_snapshot,
    list_services,
    list_snapshots,
    refresh_context,
    show_graph,
)
from carapulse.context.views import GraphView, Refreshed, SnapshotView
from carapulse.examples import shows
from carapulse.kernel.cursor import Page
from carapulse.paging import ThesePages
from carapulse.routing import Ports, ThisCall, needs

router = APIRouter(tags=["context"])


@router.post(
    "/v1/context:refresh",
    status_code=HTTPStatus.CREATED,
    dependencies=[needs("context:write")],
    openapi_extra=shows(REFRESHING),
)
def refresh(asked: RefreshContext, tag: ThisTag, call: ThisCall, ports: Ports) -> Refreshed:
    """Take what one source sees, all of it or what is to be added; the answer names the snapshot that it made."""
    refreshed = refresh_context(asked, call, ports)
    tag.at(f"/v1/context/snapshots/{refreshed.snapshot.id}", refreshed.snapshot)
    return refreshed


@router.get("/v1/context/services", dependencies=[needs("context:read")])
def services(
    wanted: Annotated[ServiceFilter, Query()], pages: ThesePages, call: ThisCall, ports: Ports
) -> Page[KnownNode]:
    """List services, by id."""
    return pages.turn(lambda wanted: list_services(wanted, call, ports), wanted)


@router.get("/v1/context/graph", dependencies=[needs("context:read")])
def graph(wanted: Annotated[GraphWanted, Query()], call: ThisCall, ports: Ports) -> GraphView:
    """Show what lies around a node, by its id, or around the services of a name."""
    return show_graph(wanted, call, ports)


@router.get("/v1/context/nodes/{node_id:path}", dependencies=[needs("context:read")])
def node(node_id: str, tag: ThisTag, call: ThisCall, ports: Ports) -> KnownNode:
    """Show one node. Its id may hold slashes."""
    return tag.on(get_node(node_id, call, ports))


@router.get("/v1/context/snapshots", dependencies=[needs("context:read")])
def snapshots(
    wanted: Annotated[SnapshotFilter, Query()], pages: ThesePages, call: ThisCall, ports: Ports
) -> Page[Snapshot]:
    """List snapshots, the newest first."""
    return pages.turn(lambda wanted: list_snapshots(wanted, call, ports), wanted)


@router.get("/v1/context/snapshots/{snapshot_id}", dependencies=[needs("context:read")])
def snapshot(snapshot_id: str, tag: ThisTag, call: ThisCall, ports: Ports) -> SnapshotView:
    """Show a snapshot with everything that there was."""
    shown = get_snapshot(snapshot_id, call, ports)
    tag.on(shown.kept)
    return shown


@router.get("/v1/context/snapshots/{snapshot_id}/diff", dependencies=[needs("context:read")])
def diff(
    snapshot_id: str, base: Annotated[str, Query(min_length=1, max_length=100)], call: ThisCall, ports: Ports
) -> SnapshotDiff:
    """Say what came, went and changed since the base."""
    return diff_snapshots(snapshot_id, base, call, ports)
