"""ChatOps over HTTP: what Slack sends, where administrators register workspaces, and where people ask for codes."""

from http import HTTPStatus
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Header, Request, Response

from carapulse.chatops.examples import COMMANDING, PRESSING, REGISTERING
from carapulse.chatops.linking import issue_code
from carapulse.chatops.model import RegisterWorkspace, WorkspaceName
from carapulse.chatops.receiving import ChatRequest, answer_command, answer_press
from carapulse.chatops.signing import SlackHeaders
from carapulse.chatops.usecases import (
    delete_link,
    get_link,
    get_workspace,
    list_links,
    list_workspaces,
    register_workspace,
    retire_workspace,
)
from carapulse.chatops.views import Code, LinkView, WorkspaceView
from carapulse.conditions import IfMatch, IfMatchOrAbsent, ThisTag
from carapulse.examples import shows
from carapulse.kernel.cursor import Page
from carapulse.routing import Ports, ThisCall, ThisPrincipal, needs, shows_secret
from carapulse.tracing import Trace, current_trace

router = APIRouter(tags=["chatops"])
_LINK = "/v1/chat/links/{link_id}"
_WORKSPACE = "/v1/chat/workspaces/{name}"


async def raw_body(request: Request) -> bytes:
    """Return the body as it came, for the signature is over its bytes."""
    return await request.body()


def slack_headers(
    x_slack_request_timestamp: Annotated[str | None, Header()] = None,
    x_slack_signature: Annotated[str | None, Header()] = None,
) -> SlackHeaders:
    """Return the two headers by which Slack proves itself."""
    return SlackHeaders(timestamp=x_slack_request_timestamp, signature=x_slack_signature)


def this_trace() -> str:
    """Return the trace of a request that has no call yet."""
    return (current_trace() or Trace.begin()).id


Body = Annotated[bytes, Depends(raw_body)]
Signature = Annotated[SlackHeaders, Depends(slack_headers)]
ThisTrace = Annotated[str, Depends(this_trace)]


@router.post("/v1/chatops/slack/{workspace}/commands", name="answer_slack_command", openapi_extra=COMMANDING)
def command(workspace: str, headers: Signature, body: Body, trace: ThisTrace, ports: Ports) -> dict[str, Any]:
    """Do what somebody in Slack asks for by a slash command, as the person whom they are linked to."""
    request = ChatRequest(workspace_id=workspace, headers=headers, body=body, trace=trace)
    shown: dict[str, Any] = ports.chat_replies.shown(answer_command(request, ports))
    return shown


@router.post(
    "/v1/chatops/slack/{workspace}/interactions",
    name="answer_slack_button",
    openapi_extra=PRESSING,
    response_class=Response,
    responses={200: {"description": "It is taken", "content": {"text/plain": {}}}},
)
def press(workspace: str, headers: Signature, body: Body, trace: ThisTrace, ports: Ports) -> Response:
    """Do what a button in Slack asks for; what came of it is told there a moment later."""
    answer_press(ChatRequest(workspace_id=workspace, headers=headers, body=body, trace=trace), ports)
    return Response(media_type="text/plain")


@router.put(
    _WORKSPACE,
    name="put_chat_workspace",
    dependencies=[needs("chat-workspace:write")],
    responses={201: {"description": "The workspace is new", "model": WorkspaceView}},
    openapi_extra=shows(REGISTERING),
)
def put_workspace(
    name: WorkspaceName,
    registration: RegisterWorkspace,
    seen: IfMatchOrAbsent,
    tag: ThisTag,
    call: ThisCall,
    ports: Ports,
) -> WorkspaceView:
    """Register a workspace of Slack, or change it; the answer has the two addresses to enter there."""
    registered = register_workspace(name, registration, call, ports, seen)
    return tag.on(registered.workspace, created=registered.created)


@router.get("/v1/chat/workspaces", name="list_chat_workspaces", dependencies=[needs("chat-workspace:read")])
def workspaces(call: ThisCall, ports: Ports) -> Page[WorkspaceView]:
    """List the workspaces of the tenant."""
    return list_workspaces(call, ports)


@router.get(_WORKSPACE, name="get_chat_workspace", dependencies=[needs("chat-workspace:read")])
def workspace(name: WorkspaceName, tag: ThisTag, call: ThisCall, ports: Ports) -> WorkspaceView:
    """Show a workspace; its secret is never shown."""
    return tag.on(get_workspace(name, call, ports))


@router.delete(
    _WORKSPACE,
    name="retire_chat_workspace",
    dependencies=[needs("chat-workspace:delete")],
    status_code=HTTPStatus.NO_CONTENT,
)
def delete_workspace(name: WorkspaceName, seen: IfMatch, call: ThisCall, ports: Ports) -> None:
    """Let nobody ask from a workspace any more."""
    retire_workspace(name, call, ports, seen)


@router.post(
    "/v1/chat:link",
    name="issue_chat_code",
    dependencies=[needs("chat-link:write"), shows_secret],
)
def link(principal: ThisPrincipal, call: ThisCall, ports: Ports) -> Code:
    """Give the caller a code, to be typed once in the chat within ten minutes, so that they are known there."""
    return issue_code(principal, call, ports)


@router.get("/v1/chat/links", name="list_chat_links", dependencies=[needs("chat-link:read")])
def links(call: ThisCall, ports: Ports) -> Page[LinkView]:
    """List the caller's own links that hold, or everybody's where the caller may see them."""
    return list_links(call, ports)


@router.get(_LINK, name="get_chat_link", dependencies=[needs("chat-link:read")])
def one_link(link_id: str, tag: ThisTag, call: ThisCall, ports: Ports) -> LinkView:
    """Show a link: the caller's own, or anybody's where the caller may see them."""
    return tag.on(get_link(link_id, call, ports))


@router.delete(
    _LINK,
    name="delete_chat_link",
    dependencies=[needs("chat-link:delete")],
    status_code=HTTPStatus.NO_CONTENT,
)
def unlink(link_id: str, seen: IfMatch, call: ThisCall, ports: Ports) -> None:
    """End a link: the caller's own, or anybody's where the caller may."""
    delete_link(link_id, call, ports, seen)
