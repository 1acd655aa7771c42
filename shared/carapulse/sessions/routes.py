"""Sessions over HTTP. Who changes something names the ETag of what was read."""

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Depends, Query

from carapulse.conditions import IfMatch, IfMatchOrAbsent, ThisTag
from carapulse.examples import shows
from carapulse.identity.model import Subject
from carapulse.kernel.cursor import Page, Wanted
from carapulse.kernel.patch import MergePatch
from carapulse.paging import ThesePages
from carapulse.routing import Ports, ThisCall, needs
from carapulse.sessions import usecases
from carapulse.sessions.examples import CHANGING, MEMBERS, SESSIONS
from carapulse.sessions.model import Member, Membership, Session, SessionContent, SessionFilter
from carapulse.sessions.usecases import Place

router = APIRouter(tags=["sessions"])
_MEMBERS = "/v1/sessions/{session_id}/members"
_MEMBER = _MEMBERS + "/{member_id:path}"


async def this_place(session_id: str, member_id: Subject) -> Place:
    """Return whose membership of which session an address names. Ids of issuers may hold a slash."""
    return Place(session_id=session_id, member_id=member_id)


ThisPlace = Annotated[Place, Depends(this_place)]


@router.post(
    "/v1/sessions", status_code=HTTPStatus.CREATED, dependencies=[needs("session:write")], openapi_extra=shows(SESSIONS)
)
def create_session(content: SessionContent, tag: ThisTag, call: ThisCall, ports: Ports) -> Session:
    """Begin a session; whoever does is its first owner."""
    session = usecases.create_session(content, call, ports)
    return tag.at(f"/v1/sessions/{session.id}", session)


@router.get("/v1/sessions", dependencies=[needs("session:read")])
def list_sessions(
    wanted: Annotated[SessionFilter, Query()], pages: ThesePages, call: ThisCall, ports: Ports
) -> Page[Session]:
    """List the caller's sessions, the newest first; administrators and auditors see everybody's."""
    return pages.turn(lambda wanted: usecases.list_sessions(wanted, call, ports), wanted)


@router.get("/v1/sessions/{session_id}", dependencies=[needs("session:read")])
def get_session(session_id: str, tag: ThisTag, call: ThisCall, ports: Ports) -> Session:
    """Show a session to who takes part in it."""
    return tag.on(usecases.get_session(session_id, call, ports))


@router.patch("/v1/sessions/{session_id}", dependencies=[needs("session:write")], openapi_extra=shows(CHANGING))
def patch_session(
    session_id: str, patch: MergePatch, seen: IfMatch, tag: ThisTag, call: ThisCall, ports: Ports
) -> Session:
    """Change what is said about a session; only its owners and administrators may."""
    return tag.on(usecases.change_session(session_id, patch, call, ports, seen))


@router.delete("/v1/sessions/{session_id}", status_code=HTTPStatus.NO_CONTENT, dependencies=[needs("session:delete")])
def delete_session(session_id: str, seen: IfMatch, call: ThisCall, ports: Ports) -> None:
    """End a session; only its owners and administrators may."""
    usecases.delete_session(session_id, call, ports, seen)


@router.get(_MEMBERS, dependencies=[needs("session:read")])
def list_members(
    session_id: str, wanted: Annotated[Wanted, Query()], pages: ThesePages, call: ThisCall, ports: Ports
) -> Page[Member]:
    """List who takes part in a session."""
    return pages.turn(lambda wanted: usecases.list_members(session_id, wanted, call, ports), wanted)


@router.get(_MEMBER, dependencies=[needs("session:read")])
def get_member(place: ThisPlace, tag: ThisTag, call: ThisCall, ports: Ports) -> Member:
    """Show as what somebody takes part in a session."""
    return tag.on(usecases.get_member(place, call, ports))


@router.put(
    _MEMBER,
    dependencies=[needs("session:write")],
    responses={201: {"description": "The member is new", "model": Member}},
    openapi_extra=shows(MEMBERS),
)
def put_member(
    place: ThisPlace, membership: Membership, seen: IfMatchOrAbsent, tag: ThisTag, call: ThisCall, ports: Ports
) -> Member:
    """Let somebody take part in a session, or as something else; only its owners and administrators may."""
    member, is_new = usecases.put_member(place, membership, call, ports, seen)
    return tag.on(member, created=is_new)


@router.delete(_MEMBER, status_code=HTTPStatus.NO_CONTENT, dependencies=[needs("session:write")])
def remove_member(place: ThisPlace, seen: IfMatch, call: ThisCall, ports: Ports) -> None:
    """Let somebody take part in a session no longer; only its owners and administrators may."""
    usecases.remove_member(place, call, ports, seen)
