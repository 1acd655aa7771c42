"""The intake over HTTP: where sources report to, and where administrators register them."""

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Depends, Header, Query, Request

from carapulse.conditions import IfMatch, IfMatchOrAbsent, ThisTag
from carapulse.examples import shows
from carapulse.intake.alertmanager import Notification
from carapulse.intake.alerts import Alert
from carapulse.intake.examples import NOTIFYING, REGISTERING, ROTATING
from carapulse.intake.model import Registration, SourceName
from carapulse.intake.ports import AlertFilter
from carapulse.intake.receiving import Webhook, receive_alerts
from carapulse.intake.signing import SignatureHeaders
from carapulse.intake.usecases import (
    RotateCredential,
    close_alert,
    get_alert,
    get_source,
    list_alerts,
    list_sources,
    register_source,
    retire_source,
    rotate_credential,
)
from carapulse.intake.views import Issued, Received, SourceView
from carapulse.kernel.cursor import Page
from carapulse.paging import ThesePages
from carapulse.routing import Ports, ThisCall, needs, shows_secret
from carapulse.tracing import Trace, current_trace

router = APIRouter(tags=["intake"])


async def raw_body(request: Request) -> bytes:
    """Return the body as it came, for the signature is over its bytes."""
    return await request.body()


def this_trace() -> str:
    """Return the trace of a request that has no call yet."""
    return (current_trace() or Trace.begin()).id


def signature_headers(
    webhook_id: Annotated[str | None, Header()] = None,
    webhook_timestamp: Annotated[str | None, Header()] = None,
    webhook_signature: Annotated[str | None, Header()] = None,
) -> SignatureHeaders:
    """Return the three headers of Standard Webhooks."""
    return SignatureHeaders(id=webhook_id, timestamp=webhook_timestamp, signature=webhook_signature)


Body = Annotated[bytes, Depends(raw_body)]
ThisTrace = Annotated[str, Depends(this_trace)]
Signature = Annotated[SignatureHeaders, Depends(signature_headers)]


@router.post(
    "/v1/webhooks/alertmanager/{source}", status_code=HTTPStatus.ACCEPTED, openapi_extra=shows(NOTIFYING, Notification)
)
def receive_signed_alerts(source: str, headers: Signature, body: Body, trace: ThisTrace, ports: Ports) -> Received:
    """Take a notification from Alertmanager, signed as Standard Webhooks say."""
    return receive_alerts(Webhook(source_id=source, headers=headers, body=body, trace=trace), ports)


@router.post(
    "/v1/webhooks/alertmanager/{source}/{token}",
    status_code=HTTPStatus.ACCEPTED,
    openapi_extra=shows(NOTIFYING, Notification),
)
def receive_alerts_with_token(source: str, token: str, body: Body, trace: ThisTrace, ports: Ports) -> Received:
    """Take a notification from an Alertmanager that can't sign; the plans that come of it are marked untrusted."""
    return receive_alerts(Webhook(source_id=source, token=token, body=body, trace=trace), ports)


@router.put(
    "/v1/sources/{name}",
    dependencies=[needs("source:write")],
    responses={201: {"description": "The source is new", "model": Issued}},
    openapi_extra=shows(REGISTERING),
)
def put_source(
    name: SourceName,
    registration: Registration,
    seen: IfMatchOrAbsent,
    tag: ThisTag,
    call: ThisCall,
    ports: Ports,
) -> Issued:
    """Register a source, or change it. A new source's secret is in this answer and in no other."""
    issued = register_source(name, registration, call, ports, seen)
    tag.on(issued.source, created=issued.created)
    return issued


@router.get("/v1/sources", dependencies=[needs("source:read")])
def get_sources(call: ThisCall, ports: Ports) -> Page[SourceView]:
    """List the sources of the tenant."""
    return list_sources(call, ports)


@router.get("/v1/sources/{name}", dependencies=[needs("source:read")])
def get_one_source(name: SourceName, tag: ThisTag, call: ThisCall, ports: Ports) -> SourceView:
    """Show a source."""
    return tag.on(get_source(name, call, ports))


@router.post(
    "/v1/sources/{name}:rotate", dependencies=[needs("source:write"), shows_secret], openapi_extra=shows(ROTATING)
)
def rotate_source_credential(name: SourceName, command: RotateCredential, call: ThisCall, ports: Ports) -> Issued:
    """Give a source a new secret; the older ones hold for a while."""
    return rotate_credential(name, command, call, ports)


@router.delete("/v1/sources/{name}", dependencies=[needs("source:write")], status_code=HTTPStatus.NO_CONTENT)
def delete_source(name: SourceName, seen: IfMatch, call: ThisCall, ports: Ports) -> None:
    """Let a source report no more."""
    retire_source(name, call, ports, seen)


@router.get("/v1/alerts", dependencies=[needs("alert:read")])
def get_alerts(wanted: Annotated[AlertFilter, Query()], pages: ThesePages, call: ThisCall, ports: Ports) -> Page[Alert]:
    """List alerts, the newest first: what became of each, and why."""
    return pages.turn(lambda wanted: list_alerts(wanted, call, ports), wanted)


@router.get("/v1/alerts/{alert_id}", dependencies=[needs("alert:read")])
def get_one_alert(alert_id: str, tag: ThisTag, call: ThisCall, ports: Ports) -> Alert:
    """Show an alert."""
    return tag.on(get_alert(alert_id, call, ports))


@router.post("/v1/alerts/{alert_id}:close", dependencies=[needs("alert:close")])
def close_one_alert(alert_id: str, call: ThisCall, ports: Ports) -> Alert:
    """Say that an alert is over although its source never did."""
    return close_alert(alert_id, call, ports)
