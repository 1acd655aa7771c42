"""Checkpoints, and which events each of them covers. Kind: expand.

They span tenants, so neither table holds anything of a tenant's but hashes. The app role adds to both and can't change
either. `uncovered_events` is the only way to another tenant's events, and shows only where they are and their hashes.
"""

from alembic import op

from carapulse.migrations.tenancy import app_role, callable_by_app, open_to_owner

revision = "0005"
down_revision = "0004"

_TABLES = """
CREATE TABLE checkpoints (
    number bigint PRIMARY KEY CHECK (number > 0),
    size bigint NOT NULL CHECK (size > 0),
    root text NOT NULL,
    previous text NOT NULL UNIQUE CHECK ((number = 1) = (previous = 'none')),
    at timestamptz NOT NULL,
    note text NOT NULL,
    horizon xid8 NOT NULL,
    cluster bigint NOT NULL
);
CREATE TABLE checkpoint_leaves (
    position bigint PRIMARY KEY REFERENCES events (position),
    checkpoint bigint NOT NULL REFERENCES checkpoints (number),
    leaf integer NOT NULL CHECK (leaf >= 0),
    hash text NOT NULL CHECK (hash LIKE 'sha256:%'),
    UNIQUE (checkpoint, leaf)
);
"""

# Every transaction below `low` has ended, so no event can still appear there; what the last checkpoint's horizon is
# above is covered. Transaction numbers mean nothing in another cluster: there, after a restore, every event is looked
# at, and one with a number that this cluster has not given out yet is an old one.
_UNCOVERED = """
CREATE FUNCTION uncovered_events() RETURNS TABLE ("position" bigint, hash text, horizon xid8, cluster bigint)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public AS $$
    WITH here AS MATERIALIZED (
        SELECT pg_snapshot_xmin(pg_current_snapshot()) AS low, pg_snapshot_xmax(pg_current_snapshot()) AS high,
            (SELECT system_identifier FROM pg_control_system()) AS cluster
    ), since AS MATERIALIZED (
        SELECT coalesce((
            SELECT c.horizon FROM checkpoints c, here
            WHERE c.number = (SELECT max(number) FROM checkpoints) AND c.cluster = here.cluster
        ), '0'::xid8) AS horizon
    )
    SELECT e.position, e.hash, here.low, here.cluster
    FROM here, events e
    WHERE (
        e.xact >= (SELECT horizon FROM since) AND e.xact < (SELECT low FROM here)
        OR e.xact >= (SELECT high FROM here) AND (SELECT horizon FROM since) = '0'
    )
    AND NOT EXISTS (SELECT FROM checkpoint_leaves l WHERE l.position = e.position OFFSET 0)
    ORDER BY e.position
$$
"""


def upgrade() -> None:
    """Make both tables, and the function that sees every tenant's hashes."""
    op.execute(_TABLES)
    for table in ("checkpoints", "checkpoint_leaves"):
        op.execute(f"GRANT SELECT, INSERT ON {table} TO {app_role()}")
    open_to_owner("events")
    op.execute(_UNCOVERED)
    callable_by_app("uncovered_events()")
