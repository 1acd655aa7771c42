"""Tickets for live streams, shared by all processes and each good for one use. Kind: expand.

Only a digest of a ticket is kept. `ticket_of` answers the one question that is asked before the tenant is known; the
ticket is then taken under the wall of its tenant.
"""

from alembic import op

from carapulse.migrations.tenancy import callable_by_app, open_to_owner, wall

revision = "0016"
down_revision = "0015"

_TABLE = """
CREATE TABLE live_tickets (
    tenant text NOT NULL CHECK (tenant <> ''),
    digest text NOT NULL CHECK (digest LIKE 'sha256:%'),
    id text NOT NULL CHECK (id <> ''),
    principal jsonb NOT NULL CHECK (principal ->> 'tenant' = tenant),
    expires_at timestamptz NOT NULL,
    PRIMARY KEY (tenant, digest)
);
CREATE INDEX live_tickets_digest ON live_tickets (digest);
"""

_OF = """
CREATE FUNCTION ticket_of(wanted text) RETURNS TABLE (id text, digest text, principal jsonb, expires_at timestamptz)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT t.id, t.digest, t.principal, t.expires_at FROM live_tickets t WHERE t.digest = wanted
$$
"""


def upgrade() -> None:
    """Make the table, its wall, and the one function that looks over it."""
    op.execute(_TABLE)
    wall("live_tickets", "SELECT, INSERT, DELETE")
    open_to_owner("live_tickets")
    op.execute(_OF)
    callable_by_app("ticket_of(text)")
