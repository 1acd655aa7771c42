"""Collectors: which systems are asked what there is, when, and how that goes. Kind: expand.

The clock asks one function which are due, of all tenants. It claims none of them: whoever has one run takes its row
within its tenant, and writes when it is due next together with the message.
"""

from alembic import op

from carapulse.migrations.tenancy import callable_by_app, open_to_owner, wall

revision = "0033"
down_revision = "0032"

_TABLE = """
CREATE TABLE collectors (
    tenant text NOT NULL CHECK (tenant <> ''),
    name text COLLATE "C" NOT NULL CHECK (name <> ''),
    system text NOT NULL CHECK (system <> ''),
    enabled boolean NOT NULL,
    next_at timestamptz,
    body jsonb NOT NULL CHECK (body ->> 'name' = name),
    progress jsonb NOT NULL,
    PRIMARY KEY (tenant, name),
    CHECK (enabled = (next_at IS NOT NULL))
);
CREATE INDEX collectors_next_at ON collectors (next_at) WHERE enabled;
"""

_DUE = """
CREATE FUNCTION collectors_due(at timestamptz, how_many integer) RETURNS TABLE (tenant text, name text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT c.tenant, c.name FROM collectors c WHERE c.enabled AND c.next_at <= at ORDER BY c.next_at LIMIT how_many
$$
"""


def upgrade() -> None:
    """Make the table, and the function that looks over the walls."""
    op.execute(_TABLE)
    wall("collectors", "SELECT, INSERT, UPDATE, DELETE")
    open_to_owner("collectors")
    op.execute(_DUE)
    callable_by_app("collectors_due(timestamptz, integer)")
