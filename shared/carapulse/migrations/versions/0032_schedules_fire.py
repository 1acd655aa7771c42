"""Schedules come due: when each does next, who wrote it, what last came of it, and its latest runs. Kind: expand.

A row of before has no `next_at`: the clock finds it, and only notes when it comes due. The index is made concurrently:
this may be run beside the program, and again.
"""

from alembic import op

from carapulse.migrations.indexes import add_index
from carapulse.migrations.tenancy import callable_by_app, open_to_owner, wall

revision = "0032"
down_revision = "0031"

_COLUMNS = """
ALTER TABLE schedules ADD COLUMN IF NOT EXISTS next_at timestamptz;
ALTER TABLE schedules ADD COLUMN IF NOT EXISTS authors jsonb NOT NULL DEFAULT '[]';
ALTER TABLE schedules ADD COLUMN IF NOT EXISTS standing jsonb NOT NULL DEFAULT '{}';
"""

_RUNS = """
CREATE TABLE schedule_runs (
    tenant text NOT NULL CHECK (tenant <> ''),
    schedule_id text COLLATE "C" NOT NULL,
    due_at timestamptz NOT NULL,
    at timestamptz NOT NULL,
    status text NOT NULL CHECK (status IN ('due', 'planned', 'skipped', 'failed')),
    intended_plan_id text NOT NULL CHECK (intended_plan_id <> ''),
    reasons jsonb NOT NULL DEFAULT '[]',
    PRIMARY KEY (tenant, schedule_id, due_at),
    FOREIGN KEY (tenant, schedule_id) REFERENCES schedules (tenant, id) ON DELETE CASCADE
);
"""

_DUE = """
CREATE FUNCTION schedules_due(moment timestamptz, how_many integer)
RETURNS TABLE (tenant text, id text, name text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT s.tenant, s.id, s.name FROM schedules s
    WHERE s.enabled AND coalesce(s.next_at, '-infinity') <= moment
    ORDER BY coalesce(s.next_at, '-infinity') LIMIT how_many
$$
"""


def upgrade() -> None:
    """Add the columns and their index first, which may be done already, and what is all or nothing after."""
    op.execute(_COLUMNS)
    add_index("schedules_next_at", "schedules (coalesce(next_at, '-infinity')) WHERE enabled")
    op.execute(_RUNS)
    wall("schedule_runs", "SELECT, INSERT, UPDATE, DELETE")
    open_to_owner("schedules")
    op.execute(_DUE)
    callable_by_app("schedules_due(timestamptz, integer)")
