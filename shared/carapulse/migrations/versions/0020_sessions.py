"""Sessions and who takes part in them. Kind: expand."""

from alembic import op

from carapulse.migrations.tenancy import wall

revision = "0020"
down_revision = "0019"

_TABLES = """
CREATE TABLE sessions (
    tenant text NOT NULL CHECK (tenant <> ''),
    id text COLLATE "C" NOT NULL CHECK (id LIKE 'session\\_%'),
    name text NOT NULL CHECK (name <> ''),
    "group" text COLLATE "C" CHECK ("group" <> ''),
    metadata jsonb NOT NULL CHECK (jsonb_typeof(metadata) = 'object'),
    created_by text NOT NULL CHECK (created_by <> ''),
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    PRIMARY KEY (tenant, id)
);
CREATE INDEX sessions_group ON sessions (tenant, "group", id);
CREATE TABLE session_members (
    tenant text NOT NULL,
    session_id text COLLATE "C" NOT NULL,
    member_id text COLLATE "C" NOT NULL CHECK (member_id <> ''),
    role text NOT NULL CHECK (role IN ('owner', 'editor', 'viewer')),
    added_at timestamptz NOT NULL,
    added_by text NOT NULL CHECK (added_by <> ''),
    PRIMARY KEY (tenant, session_id, member_id),
    FOREIGN KEY (tenant, session_id) REFERENCES sessions (tenant, id) ON DELETE CASCADE
);
CREATE INDEX session_members_member ON session_members (tenant, member_id, session_id);
"""


def upgrade() -> None:
    """Make the tables; whoever takes part in a session goes with it."""
    op.execute(_TABLES)
    wall("sessions", "SELECT, INSERT, UPDATE, DELETE")
    wall("session_members", "SELECT, INSERT, UPDATE, DELETE")
