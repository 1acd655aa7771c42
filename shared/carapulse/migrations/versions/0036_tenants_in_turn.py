"""The clock is told of due schedules and collectors by tenants in turn. Kind: expand.

In the order of time alone, a tenant with thousands of them kept those of all others waiting.
"""

from alembic import op

revision = "0036"
down_revision = "0035"

_SCHEDULES = """
CREATE OR REPLACE FUNCTION schedules_due(moment timestamptz, how_many integer)
RETURNS TABLE (tenant text, id text, name text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT due.tenant, due.id, due.name FROM (
        SELECT s.tenant, s.id, s.name, coalesce(s.next_at, '-infinity') AS since,
            row_number() OVER (PARTITION BY s.tenant ORDER BY coalesce(s.next_at, '-infinity')) AS turn
        FROM schedules s WHERE s.enabled AND coalesce(s.next_at, '-infinity') <= moment
    ) due ORDER BY due.turn, due.since LIMIT how_many
$$
"""
_COLLECTORS = """
CREATE OR REPLACE FUNCTION collectors_due(at timestamptz, how_many integer) RETURNS TABLE (tenant text, name text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT due.tenant, due.name FROM (
        SELECT c.tenant, c.name, c.next_at AS since,
            row_number() OVER (PARTITION BY c.tenant ORDER BY c.next_at) AS turn
        FROM collectors c WHERE c.enabled AND c.next_at <= at
    ) due ORDER BY due.turn, due.since LIMIT how_many
$$
"""


def upgrade() -> None:
    """Replace both functions; who may call them stays."""
    op.execute(_SCHEDULES)
    op.execute(_COLLECTORS)
