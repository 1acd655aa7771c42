"""Collectors over HTTP."""

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Query

from carapulse.collection.examples import PUTTING
from carapulse.collection.model import CollectorName, CollectorTerms
from carapulse.collection.ports import CollectorFilter
from carapulse.collection.usecases import (
    ask_for_run,
    delete_collector,
    get_collector,
    list_collectors,
    put_collector,
)
from carapulse.collection.views import CollectorView
from carapulse.conditions import IfMatch, IfMatchOrAbsent, ThisTag
from carapulse.examples import shows
from carapulse.kernel.cursor import Page
from carapulse.paging import ThesePages
from carapulse.routing import Ports, ThisCall, needs

router = APIRouter(tags=["context"])


@router.put(
    "/v1/collectors/{name}",
    name="put_collector",
    dependencies=[needs("collector:write")],
    responses={201: {"description": "The collector is new", "model": CollectorView}},
    openapi_extra=shows(PUTTING),
)
def put(
    name: CollectorName, terms: CollectorTerms, seen: IfMatchOrAbsent, tag: ThisTag, call: ThisCall, ports: Ports
) -> CollectorView:
    """Have a system asked what there is again and again, or otherwise than before; it is due at once."""
    done = put_collector(name, terms, call, ports, seen)
    tag.on(done.collector.kept, created=done.created)
    return done.collector


@router.get("/v1/collectors", name="list_collectors", dependencies=[needs("collector:read")])
def list_page(
    wanted: Annotated[CollectorFilter, Query()], pages: ThesePages, call: ThisCall, ports: Ports
) -> Page[CollectorView]:
    """List collectors by name, with how their runs go and how old what they said is."""
    return pages.turn(lambda wanted: list_collectors(wanted, call, ports), wanted)


@router.get("/v1/collectors/{name}", name="get_collector", dependencies=[needs("collector:read")])
def get(name: CollectorName, tag: ThisTag, call: ThisCall, ports: Ports) -> CollectorView:
    """Show a collector. Its ETag stays the same while nobody changes it, though `status` goes by its runs."""
    view = get_collector(name, call, ports)
    tag.on(view.kept)
    return view


@router.post(
    "/v1/collectors/{name}:run",
    name="run_collector",
    status_code=HTTPStatus.ACCEPTED,
    dependencies=[needs("collector:run")],
)
def run(name: CollectorName, tag: ThisTag, call: ThisCall, ports: Ports) -> CollectorView:
    """Have a collector run as soon as a worker is free; its `status` tells how that went."""
    view = ask_for_run(name, call, ports)
    tag.at(f"/v1/collectors/{name}", view.kept)
    return view


@router.delete(
    "/v1/collectors/{name}",
    name="delete_collector",
    status_code=HTTPStatus.NO_CONTENT,
    dependencies=[needs("collector:delete")],
)
def delete(name: CollectorName, seen: IfMatch, call: ThisCall, ports: Ports) -> None:
    """Forget a collector, and take back what it said."""
    delete_collector(name, call, ports, seen)
