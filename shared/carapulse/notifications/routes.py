"""Channels over HTTP."""

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Query

from carapulse.conditions import IfMatch, IfMatchOrAbsent, ThisTag
from carapulse.examples import shows
from carapulse.kernel.cursor import Page
from carapulse.notifications.examples import PUTTING, ROTATING
from carapulse.notifications.model import ChannelName, Registration
from carapulse.notifications.ports import DeliveryFilter
from carapulse.notifications.usecases import (
    RotateChannelSecret,
    delete_channel,
    get_channel,
    list_channels,
    list_deliveries,
    put_channel,
    rotate_channel_secret,
    try_channel,
)
from carapulse.notifications.views import ChannelView, DeliveryView, PutChannel
from carapulse.paging import ThesePages
from carapulse.routing import Ports, ThisCall, needs, shows_secret

router = APIRouter(tags=["notifications"])


@router.put(
    "/v1/channels/{name}",
    dependencies=[needs("channel:write")],
    responses={201: {"description": "The channel is new", "model": PutChannel}},
    openapi_extra=shows(PUTTING),
)
def put_one_channel(
    name: ChannelName,
    registration: Registration,
    seen: IfMatchOrAbsent,
    tag: ThisTag,
    call: ThisCall,
    ports: Ports,
) -> PutChannel:
    """Make a channel, or change it. A new webhook's secret is in this answer and in no other."""
    put = put_channel(name, registration, call, ports, seen)
    tag.on(put.channel, created=put.created)
    return put


@router.get("/v1/channels", dependencies=[needs("channel:read")])
def get_channels(call: ThisCall, ports: Ports) -> Page[ChannelView]:
    """List the channels of the tenant."""
    return list_channels(call, ports)


@router.get("/v1/channels/{name}", dependencies=[needs("channel:read")])
def get_one_channel(name: ChannelName, tag: ThisTag, call: ThisCall, ports: Ports) -> ChannelView:
    """Show a channel."""
    return tag.on(get_channel(name, call, ports))


@router.delete("/v1/channels/{name}", dependencies=[needs("channel:delete")], status_code=HTTPStatus.NO_CONTENT)
def delete_one_channel(name: ChannelName, seen: IfMatch, call: ThisCall, ports: Ports) -> None:
    """Tell a channel nothing more."""
    delete_channel(name, call, ports, seen)


@router.post(
    "/v1/channels/{name}:rotate", dependencies=[needs("channel:write"), shows_secret], openapi_extra=shows(ROTATING)
)
def rotate_secret_of_channel(
    name: ChannelName, command: RotateChannelSecret, call: ThisCall, ports: Ports
) -> PutChannel:
    """Give a webhook a new secret; for a while its messages bear signatures with the older ones, too."""
    return rotate_channel_secret(name, command, call, ports)


@router.post("/v1/channels/{name}:test", dependencies=[needs("channel:write")], status_code=HTTPStatus.ACCEPTED)
def try_one_channel(name: ChannelName, call: ThisCall, ports: Ports) -> DeliveryView:
    """Send a test message, and say what it is called in the list of deliveries."""
    return try_channel(name, call, ports)


@router.get("/v1/channels/{name}/deliveries", dependencies=[needs("channel:read")])
def get_deliveries_of_channel(
    name: ChannelName, wanted: Annotated[DeliveryFilter, Query()], pages: ThesePages, call: ThisCall, ports: Ports
) -> Page[DeliveryView]:
    """List what was sent to a channel, or is to be, the newest first."""
    return pages.turn(lambda wanted: list_deliveries(name, wanted, call, ports), wanted)
