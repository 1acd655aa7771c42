"""Partitions are made before they are needed, by the program, which may call this and no more. Kind: expand.

Nothing waits long for a lock, and whoever comes second waits for the first and finds nothing left to make. A range of
which rows are in the default partition already is passed over: they stay there, are read as well, and are reported.
"""

from alembic import op

from carapulse.migrations.tenancy import callable_by_app

revision = "0012"
down_revision = "0011"

_MAKE = """
CREATE FUNCTION make_partitions_of(parent text, reached bigint, step bigint, ahead integer) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    start bigint := reached / step * step;
    until bigint := start + ahead * step;
    is_used boolean;
    bounds text;
    child text;
BEGIN
    SELECT greatest(start, coalesce(max(p.high), 0)) INTO start FROM partitions p WHERE p.parent = $1;
    WHILE start <= until LOOP
        IF parent = 'events' THEN
            SELECT EXISTS (SELECT FROM events_default WHERE position >= start AND position < start + step) INTO is_used;
            bounds := format('FOR VALUES FROM (%s) TO (%s)', start, start + step);
            child := format('events_%s', start / step);
        ELSE
            EXECUTE format('SELECT EXISTS (SELECT FROM %I WHERE execution_id >= $1 AND execution_id < $2)',
                parent || '_default') INTO is_used USING first_execution_of(start), first_execution_of(start + step);
            bounds := format('FOR VALUES FROM (%L) TO (%L)',
                first_execution_of(start), first_execution_of(start + step));
            child := format('%s_%s', parent, to_char(to_timestamp(start * 604800) AT TIME ZONE 'UTC', 'YYYYMMDD'));
        END IF;
        IF NOT is_used THEN
            PERFORM add_partition(parent, child, bounds);
            INSERT INTO partitions VALUES (child, parent, start, start + step);
        END IF;
        start := start + step;
    END LOOP;
END
$$;
CREATE FUNCTION make_partitions() RETURNS SETOF text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    PERFORM set_config('lock_timeout', '2s', true);
    PERFORM pg_advisory_xact_lock(3391750147);
    PERFORM make_partitions_of('events', (SELECT last_value FROM events_position_seq), 1000000, 2);
    PERFORM make_partitions_of('step_lines', week_of(clock_timestamp()), 1, 3);
    PERFORM make_partitions_of('step_outputs', week_of(clock_timestamp()), 1, 3);
    RETURN QUERY SELECT 'events' WHERE EXISTS (SELECT FROM events_default);
    RETURN QUERY SELECT 'step_lines' WHERE EXISTS (SELECT FROM step_lines_default);
    RETURN QUERY SELECT 'step_outputs' WHERE EXISTS (SELECT FROM step_outputs_default);
END
$$;
COMMENT ON FUNCTION make_partitions() IS 'Makes what is missing; returns the tables with rows that have no partition';
REVOKE ALL ON FUNCTION make_partitions_of(text, bigint, bigint, integer) FROM PUBLIC;
"""


def upgrade() -> None:
    """Make the function, and the first partitions with it."""
    op.execute(_MAKE)
    callable_by_app("make_partitions()")
    op.execute("SELECT make_partitions()")
