"""Plans that are over can leave the list, and lists of plans and executions are filtered by more. Kind: expand.

The indexes are made concurrently: this may be run beside the program.
"""

from alembic import op

from carapulse.migrations.indexes import add_index

revision = "0025"
down_revision = "0024"

_INDEXES = {
    "plans_service": "plans (tenant, service, id)",
    "plans_requested_by": "plans (tenant, requested_by, id)",
    "plans_created": "plans (tenant, created_at, id)",
    "plans_listed": "plans (tenant, id) WHERE archived_at IS NULL",
    "plans_archived": "plans (tenant, id) WHERE archived_at IS NOT NULL",
    "executions_status": "executions (tenant, status, id)",
    "executions_started": "executions (tenant, started_at, id)",
}


def upgrade() -> None:
    """Add the column, which costs nothing where it is empty, and the indexes."""
    op.execute("ALTER TABLE plans ADD COLUMN IF NOT EXISTS archived_at timestamptz")
    for name, definition in _INDEXES.items():
        add_index(name, definition)
