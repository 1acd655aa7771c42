"""Workspaces, codes, links and signatures kept in Postgres."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, RowMapping, delete, insert, select, update
from sqlalchemy.dialects.postgresql import insert as insert_or

from carapulse.chatops.model import KeptCode, Link, Workspace
from carapulse.chatops.tables import codes, links, requests, workspaces
from carapulse.rows import read_row

_WORKSPACE = [workspaces.c[name] for name in Workspace.model_fields]
_LINK = [links.c[name] for name in Link.model_fields]
_CODE = [codes.c[name] for name in KeptCode.model_fields]


@dataclass(frozen=True, slots=True)
class PostgresWorkspaces:
    """The workspaces of one tenant, within one transaction."""

    connection: Connection
    tenant: str

    def listed(self) -> Sequence[Workspace]:
        """Return every workspace, by name."""
        query = select(*_WORKSPACE).where(workspaces.c.tenant == self.tenant).order_by(workspaces.c.name)
        return [_workspace(row) for row in self.connection.execute(query).mappings()]

    def named(self, name: str) -> Workspace | None:
        """Return the workspace of that name and keep others from changing it until the transaction ends, or None."""
        query = select(*_WORKSPACE).where(workspaces.c.tenant == self.tenant, workspaces.c.name == name)
        row = self.connection.execute(query.with_for_update()).mappings().one_or_none()
        return None if row is None else _workspace(row)

    def find(self, workspace_id: str) -> Workspace | None:
        """Return the workspace of that id, or None."""
        query = select(*_WORKSPACE).where(*self._is(workspace_id))
        row = self.connection.execute(query).mappings().one_or_none()
        return None if row is None else _workspace(row)

    def add(self, workspace: Workspace) -> None:
        """Keep a new workspace."""
        self.connection.execute(insert(workspaces).values(tenant=self.tenant, **dict(workspace)))

    def replace(self, workspace: Workspace) -> None:
        """Keep the workspace as it now is."""
        self.connection.execute(update(workspaces).where(*self._is(workspace.id)).values(**dict(workspace)))

    def remove(self, workspace_id: str) -> None:
        """Forget a workspace with its secret; what refers to it goes too."""
        self.connection.execute(delete(workspaces).where(*self._is(workspace_id)))

    def take(self, workspace_id: str, digest: str, until: datetime) -> bool:
        """Remember a signature for as long as it could be shown again; False if it was shown before."""
        row = {"tenant": self.tenant, "workspace_id": workspace_id, "digest": digest, "until": until}
        query = insert_or(requests).values(**row).on_conflict_do_nothing().returning(requests.c.digest)
        return self.connection.execute(query).scalar_one_or_none() is not None

    def _is(self, workspace_id: str) -> tuple[Any, ...]:
        return (workspaces.c.tenant == self.tenant, workspaces.c.id == workspace_id)


@dataclass(frozen=True, slots=True)
class PostgresLinks:
    """The codes and links of one tenant, within one transaction."""

    connection: Connection
    tenant: str

    def add_code(self, code: KeptCode) -> None:
        """Keep a new code; the person's former ones are void."""
        subject = code.principal.actor.id
        self.connection.execute(delete(codes).where(codes.c.tenant == self.tenant, codes.c.subject == subject))
        row = {**dict(code), "principal": code.principal.model_dump(mode="json"), "subject": subject}
        self.connection.execute(insert(codes).values(tenant=self.tenant, **row))

    def take_code(self, digest: str, at: datetime) -> bool:
        """Remove a code that is good at a moment; False if there is none, or somebody else took it."""
        query = delete(codes).where(codes.c.tenant == self.tenant, codes.c.digest == digest, codes.c.expires_at > at)
        return self.connection.execute(query).rowcount == 1

    def code(self, digest: str, at: datetime) -> KeptCode | None:
        """Return a code that is good at a moment, or None."""
        query = select(*_CODE).where(codes.c.tenant == self.tenant, codes.c.digest == digest, codes.c.expires_at > at)
        row = self.connection.execute(query).mappings().one_or_none()
        return None if row is None else read_row(KeptCode, dict(row), table="chat_codes", row_id=row["id"])

    def of_user(self, workspace_id: str, chat_user: str) -> Link | None:
        """Return the link of a user of a workspace, also one that is over, locked until the transaction ends."""
        query = select(*_LINK).where(
            links.c.tenant == self.tenant, links.c.workspace_id == workspace_id, links.c.chat_user == chat_user
        )
        row = self.connection.execute(query.with_for_update()).mappings().one_or_none()
        return None if row is None else _link(row)

    def get(self, link_id: str) -> Link | None:
        """Return the link of that id, or None."""
        query = select(*_LINK).where(links.c.tenant == self.tenant, links.c.id == link_id)
        row = self.connection.execute(query.with_for_update()).mappings().one_or_none()
        return None if row is None else _link(row)

    def listed(self, at: datetime, subject: str | None) -> Sequence[Link]:
        """Return the links that hold at a moment, the newest first: one person's, or everybody's."""
        query = select(*_LINK).where(links.c.tenant == self.tenant, links.c.expires_at > at).order_by(links.c.id.desc())
        if subject is not None:
            query = query.where(links.c.subject == subject)
        return [_link(row) for row in self.connection.execute(query).mappings()]

    def add(self, link: Link) -> None:
        """Keep a new link; the user must have none."""
        row = {**dict(link), "principal": link.principal.model_dump(mode="json")}
        self.connection.execute(insert(links).values(tenant=self.tenant, **row))

    def remove(self, link_id: str) -> None:
        """Forget a link."""
        self.connection.execute(delete(links).where(links.c.tenant == self.tenant, links.c.id == link_id))

    def remove_all(self, workspace_id: str) -> int:
        """Forget all links of a workspace, and return how many there were."""
        query = delete(links).where(links.c.tenant == self.tenant, links.c.workspace_id == workspace_id)
        return self.connection.execute(query).rowcount


def _workspace(row: RowMapping) -> Workspace:
    return read_row(Workspace, dict(row), table="chat_workspaces", row_id=row["id"])


def _link(row: RowMapping) -> Link:
    return read_row(Link, dict(row), table="chat_links", row_id=row["id"])
