"""Freezes and maintenance windows, and the one statement that tells which of them stand. Kind: expand."""

from alembic import op

from carapulse.migrations.tenancy import callable_by_app, wall

revision = "0022"
down_revision = "0021"

_TABLES = """
CREATE TABLE freezes (
    tenant text NOT NULL CHECK (tenant <> ''),
    id text COLLATE "C" NOT NULL CHECK (id LIKE 'freeze\\_%'),
    name text NOT NULL CHECK (name <> ''),
    starts_at timestamptz NOT NULL,
    until timestamptz CHECK (until > starts_at),
    lifted_at timestamptz,
    body jsonb NOT NULL CHECK (body ->> 'name' = name),
    PRIMARY KEY (tenant, id)
);
CREATE UNIQUE INDEX freezes_one_of_a_name ON freezes (tenant, name) WHERE lifted_at IS NULL;
CREATE INDEX freezes_standing ON freezes (tenant, coalesce(until, 'infinity')) WHERE lifted_at IS NULL;
CREATE TABLE maintenance_windows (
    tenant text NOT NULL CHECK (tenant <> ''),
    id text COLLATE "C" NOT NULL CHECK (id LIKE 'window\\_%'),
    name text NOT NULL CHECK (name <> ''),
    lifted_at timestamptz,
    body jsonb NOT NULL CHECK (body ->> 'name' = name),
    PRIMARY KEY (tenant, id)
);
CREATE UNIQUE INDEX maintenance_windows_one_of_a_name ON maintenance_windows (tenant, name) WHERE lifted_at IS NULL;
"""

# Asked on the way of every step that changes something, so it is one statement that binds its own tenant.
_STANDING = """
CREATE FUNCTION standing_rules(owner text, moment timestamptz) RETURNS TABLE (kind text, id text, body jsonb)
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM set_config('carapulse.tenant', owner, true);
    RETURN QUERY
    SELECT 'freeze', f.id, f.body FROM freezes f
    WHERE f.tenant = owner AND f.lifted_at IS NULL AND coalesce(f.until, 'infinity') > moment
    UNION ALL
    SELECT 'window', w.id, w.body FROM maintenance_windows w WHERE w.tenant = owner AND w.lifted_at IS NULL;
END $$
"""


def upgrade() -> None:
    """Make the tables and the function, which sees no more than whoever calls it."""
    op.execute(_TABLES)
    wall("freezes", "SELECT, INSERT, UPDATE")
    wall("maintenance_windows", "SELECT, INSERT, UPDATE")
    op.execute(_STANDING)
    callable_by_app("standing_rules(text, timestamptz)")
