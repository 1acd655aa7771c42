"""Sessions and their members, kept in Postgres."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, delete, func, insert, select, update
from sqlalchemy.dialects.postgresql import insert as insert_or

from carapulse.kernel.cursor import Page, Wanted
from carapulse.rows import read_row
from carapulse.sessions.errors import SessionNotFound
from carapulse.sessions.model import Member, Role, Session, SessionFilter
from carapulse.sessions.tables import session_members, sessions

_SESSION = [sessions.c[name] for name in Session.model_fields]
_MEMBER = [session_members.c[name] for name in Member.model_fields]


@dataclass(frozen=True, slots=True)
class PostgresSessions:
    """The sessions of one tenant, within one transaction."""

    connection: Connection
    tenant: str

    def page(self, wanted: SessionFilter, member_id: str | None) -> Page[Session]:
        """Return the sessions of a member, or everybody's for None, the newest first."""
        query = select(*_SESSION).where(sessions.c.tenant == self.tenant).order_by(sessions.c.id.desc())
        if member_id is not None:
            query = query.where(sessions.c.id.in_(self._joined(member_id)))
        if wanted.group is not None:
            query = query.where(sessions.c.group == wanted.group)
        if wanted.cursor is not None:
            query = query.where(sessions.c.id < wanted.cursor)
        rows = self.connection.execute(query.limit(wanted.limit + 1)).mappings()
        found = [_session(dict(row)) for row in rows]
        return wanted.cut(found, lambda last: last.id)

    def get(self, session_id: str) -> Session:
        """Return the session, or raise SessionNotFound."""
        return self._one(select(*_SESSION), session_id)

    def lock(self, session_id: str) -> Session:
        """Return the session; nobody else can change it or its members until the transaction ends."""
        return self._one(select(*_SESSION).with_for_update(), session_id)

    def add(self, session: Session, owner: Member) -> None:
        """Keep a new session and its first owner."""
        self.connection.execute(insert(sessions).values({"tenant": self.tenant, **dict(session)}))
        self.put_member(session.id, owner)

    def replace(self, session: Session) -> None:
        """Keep a locked session as it now is."""
        query = update(sessions).where(sessions.c.tenant == self.tenant, sessions.c.id == session.id)
        self.connection.execute(query.values(dict(session)))

    def delete(self, session_id: str) -> None:
        """Forget a locked session; who took part goes with it."""
        query = delete(sessions).where(sessions.c.tenant == self.tenant, sessions.c.id == session_id)
        self.connection.execute(query)

    def members(self, session_id: str, wanted: Wanted) -> Page[Member]:
        """Return who takes part, by their ids."""
        member_id = session_members.c.member_id
        query = select(*_MEMBER).where(*self._of(session_id)).order_by(member_id)
        if wanted.cursor is not None:
            query = query.where(member_id > wanted.cursor)
        rows = self.connection.execute(query.limit(wanted.limit + 1)).mappings()
        found = [_member(session_id, dict(row)) for row in rows]
        return wanted.cut(found, lambda last: last.member_id)

    def member(self, session_id: str, member_id: str) -> Member | None:
        """Return somebody who takes part, or None."""
        query = select(*_MEMBER).where(*self._of(session_id), session_members.c.member_id == member_id)
        row = self.connection.execute(query).mappings().one_or_none()
        return None if row is None else _member(session_id, dict(row))

    def owners(self, session_id: str) -> int:
        """Return how many owners a locked session has."""
        is_owner = session_members.c.role == Role.OWNER.value
        query = select(func.count()).select_from(session_members).where(*self._of(session_id), is_owner)
        return self.connection.execute(query).scalar_one()

    def put_member(self, session_id: str, member: Member) -> None:
        """Keep somebody who takes part as they now do."""
        row = {"tenant": self.tenant, "session_id": session_id, **dict(member), "role": member.role.value}
        query = insert_or(session_members).values(row)
        self.connection.execute(
            query.on_conflict_do_update(index_elements=list(session_members.primary_key), set_={"role": row["role"]})
        )

    def remove_member(self, session_id: str, member_id: str) -> None:
        """Let somebody take part no longer."""
        query = delete(session_members).where(*self._of(session_id), session_members.c.member_id == member_id)
        self.connection.execute(query)

    def _joined(self, member_id: str) -> Select[Any]:
        mine = (session_members.c.tenant == self.tenant, session_members.c.member_id == member_id)
        return select(session_members.c.session_id).where(*mine)

    def _of(self, session_id: str) -> tuple[ColumnElement[bool], ...]:
        return (session_members.c.tenant == self.tenant, session_members.c.session_id == session_id)

    def _one(self, query: Select[Any], session_id: str) -> Session:
        found = self.connection.execute(query.where(sessions.c.tenant == self.tenant, sessions.c.id == session_id))
        row = found.mappings().one_or_none()
        if row is None:
            raise SessionNotFound("no such session", session_id=session_id)
        return _session(dict(row))


def _session(row: dict[str, Any]) -> Session:
    return read_row(Session, row, table="sessions", row_id=row["id"])


def _member(session_id: str, row: dict[str, Any]) -> Member:
    return read_row(Member, row, table="session_members", row_id=f"{session_id}/{row['member_id']}")
