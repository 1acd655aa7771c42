"""Whose a workspace of a chat is, asked before any tenant is known."""

from dataclasses import dataclass

from sqlalchemy import Engine, text

from carapulse.adapters.postgres.engine import translated
from carapulse.chatops.ports import Owner
from carapulse.rows import read_row

_OWNER = text("SELECT tenant, name FROM owner_of_workspace(:workspace)")


@dataclass(frozen=True, slots=True)
class PostgresWorkspaceDirectory:
    """Asks the one function that sees every tenant's workspaces, and tells their owner and name alone."""

    engine: Engine

    def find(self, workspace_id: str) -> Owner | None:
        """Return the owner of a workspace, or None."""
        with translated(), self.engine.connect() as connection:
            row = connection.execute(_OWNER, {"workspace": workspace_id}).mappings().one_or_none()
        return None if row is None else read_row(Owner, dict(row), table="chat_workspaces", row_id=workspace_id)
