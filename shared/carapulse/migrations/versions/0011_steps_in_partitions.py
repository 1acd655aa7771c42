"""What tools said, in partitions of a week. Kind: expand.

They are parted by the execution's id, which begins with the moment it was made (UUIDv7): all that one execution left
lies in one partition, a reader's look-up is in that partition alone, and the key needs no further column. Ids of any
other form go to the default partition. The ids sort by their bytes, whatever the database's collation is.

As with events, the tables that are there become the first partitions as they are. The number of a line comes from its
execution's row, under its lock, so that no reader misses one that is committed late. No foreign key: both are written
with the execution's row locked, and each key would be one more look-up for every output.
"""

from alembic import op
from sqlalchemy import text

from carapulse.migrations.tenancy import app_role, note_partition, open_to_owner, wall

revision = "0011"
down_revision = "0010"

_WEEKS = """
CREATE FUNCTION week_of(moment timestamptz) RETURNS bigint
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT floor(extract(epoch FROM moment) / 604800)::bigint
$$;
CREATE FUNCTION first_execution_of(week bigint) RETURNS text
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT 'exec_' || lpad(to_hex(week * 604800000), 12, '0')
$$;
REVOKE ALL ON FUNCTION week_of(timestamptz), first_execution_of(bigint) FROM PUBLIC;
"""

_LINES = """
ALTER TABLE step_lines ALTER COLUMN n DROP IDENTITY, DROP CONSTRAINT step_lines_pkey;
DROP INDEX step_lines_execution;
ALTER TABLE step_lines ALTER COLUMN execution_id TYPE text COLLATE "C";
ALTER TABLE step_lines RENAME TO step_lines_before;
ALTER TABLE step_lines_before ADD PRIMARY KEY (execution_id, n);
ALTER TABLE step_lines_before DROP CONSTRAINT step_lines_tenant_execution_id_fkey;
CREATE TABLE step_lines (
    LIKE step_lines_before INCLUDING DEFAULTS INCLUDING CONSTRAINTS,
    PRIMARY KEY (execution_id, n)
) PARTITION BY RANGE (execution_id);
"""

_OUTPUTS = """
ALTER TABLE step_outputs ALTER COLUMN execution_id TYPE text COLLATE "C";
ALTER TABLE step_outputs RENAME TO step_outputs_before;
ALTER INDEX step_outputs_pkey RENAME TO step_outputs_before_pkey;
ALTER TABLE step_outputs_before DROP CONSTRAINT step_outputs_tenant_execution_id_fkey;
CREATE TABLE step_outputs (
    LIKE step_outputs_before INCLUDING DEFAULTS INCLUDING CONSTRAINTS,
    PRIMARY KEY (tenant, execution_id, step_id, phase, fence)
) PARTITION BY RANGE (execution_id);
CREATE INDEX step_outputs_blob ON step_outputs ((output ->> '$blob')) WHERE output ? '$blob';
"""


def upgrade() -> None:
    """Put a partitioned table above each of the two."""
    bind = op.get_bind()
    op.execute(_WEEKS)
    op.execute(_LINES)
    op.execute(_OUTPUTS)
    week = bind.execute(text("SELECT week_of(clock_timestamp()) + 1")).scalar_one()
    until = bind.execute(text("SELECT first_execution_of(:week)"), {"week": week}).scalar_one()
    for table in ("step_lines", "step_outputs"):
        wall(table, "SELECT, INSERT")
        open_to_owner(table)
        op.execute(f"REVOKE ALL ON {table}_before FROM {app_role()}")
        op.execute(f"CREATE POLICY {table}_owner ON {table}_before TO current_user USING (true) WITH CHECK (true)")
        op.execute(f"ALTER TABLE {table} ATTACH PARTITION {table}_before FOR VALUES FROM (MINVALUE) TO ('{until}')")
        note_partition(f"{table}_before", table, week)
        op.execute(f"SELECT add_partition('{table}', '{table}_default', 'DEFAULT')")
