"""What can be asked of sessions. One function is one thing that can be asked for.

Who takes no part in a session is told what they would be told if there were none; nobody makes themselves a member.
"""

from carapulse.kernel.call import Call
from carapulse.kernel.cursor import Page, Wanted
from carapulse.kernel.patch import MergePatch, is_same, patched
from carapulse.kernel.precondition import WHICHEVER, Match
from carapulse.kernel.record import Record
from carapulse.sessions.errors import MemberNotFound, SessionNotFound
from carapulse.sessions.events import (
    MemberAdded,
    MemberChanged,
    MemberRemoved,
    SessionChanged,
    SessionCreated,
    SessionDeleted,
)
from carapulse.sessions.model import (
    Member,
    Membership,
    Role,
    Session,
    SessionContent,
    SessionFilter,
    check_owner,
    sees_every_session,
)
from carapulse.sessions.ports import SessionPorts, SessionWork


class Place(Record):
    """Whose membership of which session is meant."""

    session_id: str
    member_id: str


def create_session(content: SessionContent, call: Call, ports: SessionPorts) -> Session:
    """Begin a session; the caller is its first owner."""
    session = Session.of(content, call)
    with ports.begin(call) as work:
        work.sessions.add(session, Member.of(call.actor.id, Role.OWNER, call))
        work.record(session.id, SessionCreated.of(session))
        work.record(session.id, MemberAdded(session_id=session.id, member_id=call.actor.id, role=Role.OWNER))
    return session


def list_sessions(wanted: SessionFilter, call: Call, ports: SessionPorts) -> Page[Session]:
    """Return the sessions that the caller sees, the newest first."""
    member_id = None if sees_every_session(call.actor) else call.actor.id
    with ports.begin(call) as work:
        return work.sessions.page(wanted, member_id)


def get_session(session_id: str, call: Call, ports: SessionPorts) -> Session:
    """Return a session that the caller sees."""
    with ports.begin(call) as work:
        return _seen(work.sessions.get(session_id), call, work)


def change_session(
    session_id: str, patch: MergePatch, call: Call, ports: SessionPorts, seen: Match = WHICHEVER
) -> Session:
    """Change what is said about a session; a patch that changes nothing leaves no trace."""
    with ports.begin(call) as work:
        session = _owned(session_id, call, work)
        seen.check(session)
        content = patched(session.content, patch)
        if is_same(content, session.content):
            return session
        changed = session.changed(content, call)
        work.sessions.replace(changed)
        work.record(session.id, SessionChanged.of(changed))
    return changed


def delete_session(session_id: str, call: Call, ports: SessionPorts, seen: Match = WHICHEVER) -> None:
    """End a session; nobody takes part in it any longer."""
    with ports.begin(call) as work:
        session = _owned(session_id, call, work)
        seen.check(session)
        work.sessions.delete(session.id)
        work.record(session.id, SessionDeleted.of(session))


def list_members(session_id: str, wanted: Wanted, call: Call, ports: SessionPorts) -> Page[Member]:
    """Return who takes part in a session that the caller sees."""
    with ports.begin(call) as work:
        session = _seen(work.sessions.get(session_id), call, work)
        return work.sessions.members(session.id, wanted)


def get_member(place: Place, call: Call, ports: SessionPorts) -> Member:
    """Return somebody who takes part in a session that the caller sees."""
    with ports.begin(call) as work:
        session = _seen(work.sessions.get(place.session_id), call, work)
        return _known(work.sessions.member(session.id, place.member_id), place)


def put_member(
    place: Place, membership: Membership, call: Call, ports: SessionPorts, seen: Match = WHICHEVER
) -> tuple[Member, bool]:
    """Let somebody take part in a session, or take part as something else; say whether they are new."""
    with ports.begin(call) as work:
        session = _owned(place.session_id, call, work)
        former = work.sessions.member(session.id, place.member_id)
        seen.check(former)
        if former is None:
            member = Member.of(place.member_id, membership.role, call)
            work.sessions.put_member(session.id, member)
            work.record(session.id, MemberAdded(**dict(place), role=member.role))
            return member, True
        return _change(former, membership.role, place, work), False


def remove_member(place: Place, call: Call, ports: SessionPorts, seen: Match = WHICHEVER) -> None:
    """Let somebody take part in a session no longer."""
    with ports.begin(call) as work:
        session = _owned(place.session_id, call, work)
        member = _known(work.sessions.member(session.id, place.member_id), place)
        seen.check(member)
        member.check_replaceable(None, work.sessions.owners(session.id))
        work.sessions.remove_member(session.id, member.member_id)
        work.record(session.id, MemberRemoved(**dict(place), former=member.role))


def _change(member: Member, role: Role, place: Place, work: SessionWork) -> Member:
    """Let a member have a role; the same again changes nothing."""
    if member.role is role:
        return member
    member.check_replaceable(role, work.sessions.owners(place.session_id))
    changed = member.model_copy(update={"role": role})
    work.sessions.put_member(place.session_id, changed)
    work.record(place.session_id, MemberChanged(**dict(place), role=role, former=member.role))
    return changed


def _seen(session: Session, call: Call, work: SessionWork) -> Session:
    """Return a session if the caller sees it, or raise SessionNotFound."""
    if not sees_every_session(call.actor) and work.sessions.member(session.id, call.actor.id) is None:
        raise SessionNotFound("no such session", session_id=session.id)
    return session


def _owned(session_id: str, call: Call, work: SessionWork) -> Session:
    """Return a session, locked, if the caller may change it and its members."""
    session = _seen(work.sessions.lock(session_id), call, work)
    check_owner(call.actor, work.sessions.member(session.id, call.actor.id), session.id)
    return session


def _known(member: Member | None, place: Place) -> Member:
    if member is None:
        raise MemberNotFound("nobody of that name takes part in the session", **dict(place))
    return member
