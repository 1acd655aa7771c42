"""Schedules: what is to be asked for again and again. Kind: expand."""

from alembic import op

from carapulse.migrations.tenancy import wall

revision = "0021"
down_revision = "0020"

_TABLE = """
CREATE TABLE schedules (
    tenant text NOT NULL CHECK (tenant <> ''),
    id text COLLATE "C" NOT NULL CHECK (id LIKE 'schedule\\_%'),
    name text NOT NULL CHECK (name <> ''),
    enabled boolean NOT NULL,
    workflow text,
    body jsonb NOT NULL CHECK (body ->> 'name' = name),
    PRIMARY KEY (tenant, id),
    UNIQUE (tenant, name)
);
CREATE INDEX schedules_enabled ON schedules (tenant, enabled, id);
CREATE INDEX schedules_workflow ON schedules (tenant, workflow) WHERE workflow IS NOT NULL;
"""


def upgrade() -> None:
    """Make the table; a schedule that nobody wants is deleted, and the log remembers it."""
    op.execute(_TABLE)
    wall("schedules", "SELECT, INSERT, UPDATE, DELETE")
