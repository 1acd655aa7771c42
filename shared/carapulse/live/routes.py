"""Following the log over HTTP: server-sent events, a WebSocket, and tickets for browsers."""

from functools import partial
from typing import Annotated

from anyio.to_thread import run_sync
from fastapi import APIRouter, Header, Query, Response, WebSocket

from carapulse.live.following import converse_about, follow
from carapulse.live.holding import connect_client
from carapulse.live.model import Ask, Position, Ticket
from carapulse.live.reading import ask_of
from carapulse.live.usecases import issue_ticket
from carapulse.pushing import Pushed, converse
from carapulse.routing import Ports, ThisCall, ThisPrincipal, needs, shows_secret

router = APIRouter(tags=["live"])

held_router = APIRouter(tags=["live"])
"""The same WebSocket where a gateway holds the sockets; it asks here whether it may let a client in."""

CONNECTION = "carapulse.connection"
"""Under which name the scope of a request holds how the gateway calls the socket."""

LastPosition = Annotated[Position | None, Header(alias="Last-Event-ID")]


@router.get(
    "/v1/events",
    dependencies=[needs("event:read")],
    response_class=Response,
    responses={200: {"content": {"text/event-stream": {}}}},
)
async def follow_events(
    ask: Annotated[Ask, Query()],
    call: ThisCall,
    principal: ThisPrincipal,
    ports: Ports,
    last: LastPosition = None,
) -> Response:
    """Follow what happens, as server-sent events that are CloudEvents; resumes exactly after `Last-Event-ID`."""
    return Pushed(partial(follow, ask.resumed(last), call, principal, ports.live))


@router.websocket("/v1/ws", dependencies=[needs("event:read")])
async def talk_about_events(socket: WebSocket, call: ThisCall, principal: ThisPrincipal, ports: Ports) -> None:
    """Follow what happens over a WebSocket: the same CloudEvents, one in each message."""
    await converse(socket, partial(converse_about, ask_of(socket.query_params), call, principal, ports.live))


@router.post("/v1/live:ticket", dependencies=[needs("event:read"), shows_secret])
def issue(call: ThisCall, principal: ThisPrincipal, ports: Ports) -> Ticket:
    """Issue a ticket: it opens one stream within half a minute, for a browser that can't send a bearer there."""
    return issue_ticket(principal, call, ports)


@held_router.websocket("/v1/ws", dependencies=[needs("event:read")])
async def let_in(socket: WebSocket, call: ThisCall, principal: ThisPrincipal, ports: Ports) -> None:
    """Follow what happens over a WebSocket that a gateway holds."""
    connection_id: str = socket.scope[CONNECTION]
    await run_sync(connect_client, connection_id, ask_of(socket.query_params), call, principal, ports)
    await socket.accept()
