"""The log and its evidence over HTTP."""

from typing import Annotated

from fastapi import APIRouter, Query, Response
from fastapi.responses import PlainTextResponse, StreamingResponse

from carapulse.audit.exporting import export_events
from carapulse.audit.model import EventFilter, ExportEvents, SealedEntry
from carapulse.audit.usecases import export_bundle, latest_checkpoint, list_events, verifier_keys
from carapulse.kernel.cursor import Page
from carapulse.paging import ThesePages
from carapulse.routing import Ports, ThisCall, needs

router = APIRouter(tags=["audit"])
_MEDIA = {"csv": "text/csv; charset=utf-8", "jsonl": "application/jsonl"}


@router.get("/v1/audit/events", dependencies=[needs("audit:read")])
def read_events(
    wanted: Annotated[EventFilter, Query()], pages: ThesePages, call: ThisCall, ports: Ports
) -> Page[SealedEntry]:
    """List what has happened, the newest first."""
    return pages.turn(lambda wanted: list_events(wanted, call, ports), wanted)


@router.get(
    "/v1/audit/events:export",
    dependencies=[needs("audit:read")],
    response_class=StreamingResponse,
    responses={200: {"content": {"text/csv": {}, "application/jsonl": {}}}},
)
def export(wanted: Annotated[ExportEvents, Query()], call: ThisCall, ports: Ports) -> StreamingResponse:
    """Take events out of the log, the oldest first, as lines of JSON or as a table; cells can't be formulas."""
    name = f"events-{call.tenant}-{call.at:%Y%m%dT%H%M%SZ}.{wanted.format}"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return StreamingResponse(export_events(wanted, call, ports), media_type=_MEDIA[wanted.format], headers=headers)


@router.get("/v1/audit/key", dependencies=[needs("audit:read")], response_class=PlainTextResponse)
def read_key(ports: Ports) -> str:
    """Return the verifier keys that bundles and checkpoints are checked with, one a line, the newest first."""
    return verifier_keys(ports)


@router.get("/v1/audit/checkpoints/latest", dependencies=[needs("audit:read")], response_class=PlainTextResponse)
def read_checkpoint(call: ThisCall, ports: Ports) -> str:
    """Return the newest signed checkpoint, to be kept where this installation can't change it."""
    return latest_checkpoint(call, ports).note


@router.get(
    "/v1/plans/{plan_id}/evidence",
    dependencies=[needs("evidence:export")],
    response_class=Response,
    responses={200: {"content": {"application/vnd.dsse.envelope.v1+json": {}}}},
)
def export_evidence(plan_id: str, call: ThisCall, ports: Ports) -> Response:
    """Return everything that happened to a plan as one signed file, which can be verified offline."""
    return Response(export_bundle(plan_id, call, ports), media_type="application/vnd.dsse.envelope.v1+json")
