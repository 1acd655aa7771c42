"""What is old may go, whole partitions at a time, through functions that check for themselves. Kind: expand.

Lines and outputs go with the executions they are of, once all of these are over. Events go when each is covered by a
checkpoint, every stream among them rests, and each tenant's are archived: the function computes over the rows what the
archive's row says of its content. The streams of sources, and of the archives themselves, never rest, and nobody takes
their evidence: their old part may go. Nothing younger than a day goes, whoever asks.
"""

from alembic import op

from carapulse.migrations.tenancy import callable_by_app, open_to_owner, wall

revision = "0013"
down_revision = "0012"

_TABLE = """
CREATE TABLE event_archives (
    tenant text NOT NULL CHECK (tenant <> ''),
    first bigint NOT NULL,
    last bigint NOT NULL CHECK (last >= first),
    count bigint NOT NULL CHECK (count > 0),
    digest text NOT NULL CHECK (digest LIKE 'sha256:%'),
    contents text NOT NULL CHECK (contents LIKE 'sha256:%'),
    at timestamptz NOT NULL,
    PRIMARY KEY (tenant, first)
);
"""

_STEPS = """
CREATE FUNCTION refuse_recent(before timestamptz) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF before IS NULL OR before > clock_timestamp() - interval '1 day' THEN
        RAISE check_violation USING MESSAGE = 'what is younger than a day stays';
    END IF;
END
$$;
CREATE FUNCTION drop_old_steps(of_table text, before timestamptz) RETURNS TABLE (dropped text, blobs text[])
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    part partitions;
BEGIN
    PERFORM refuse_recent(before);
    PERFORM set_config('lock_timeout', '2s', true);
    FOR part IN
        SELECT * FROM partitions p
        WHERE p.parent = of_table AND p.parent IN ('step_lines', 'step_outputs') AND p.high <= week_of(before)
        ORDER BY p.low
    LOOP
        CONTINUE WHEN EXISTS (
            SELECT FROM executions e
            WHERE e.id COLLATE "C" < first_execution_of(part.high)
            AND (part.low = 0 OR e.id COLLATE "C" >= first_execution_of(part.low))
            AND (e.finished_at IS NULL OR e.finished_at >= before)
        );
        blobs := '{}';
        IF of_table = 'step_outputs' THEN
            EXECUTE format('SELECT array(SELECT DISTINCT output ->> ''$blob'' FROM %I WHERE output ? ''$blob'')',
                part.name) INTO blobs;
        END IF;
        EXECUTE format('DROP TABLE public.%I', part.name);
        DELETE FROM partitions p WHERE p.name = part.name;
        dropped := part.name;
        blobs := array(SELECT blob FROM unnest(blobs) blob WHERE NOT EXISTS (
            SELECT FROM step_outputs o WHERE o.output ? '$blob' AND o.output ->> '$blob' = blob));
        RETURN NEXT;
    END LOOP;
END
$$;
CREATE FUNCTION drop_dead_letters(before timestamptz) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    gone bigint;
BEGIN
    PERFORM refuse_recent(before);
    DELETE FROM messages WHERE id IN (
        SELECT m.id FROM messages m WHERE m.dead_at < before LIMIT 10000 FOR UPDATE SKIP LOCKED
    );
    GET DIAGNOSTICS gone = ROW_COUNT;
    RETURN gone;
END
$$;
REVOKE ALL ON FUNCTION refuse_recent(timestamptz) FROM PUBLIC;
"""

# What costs least is asked first: the newest event of the partition answers nearly always.
_MAY_GO = """
CREATE FUNCTION events_may_go(part partitions, before timestamptz) RETURNS boolean
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF part.high > (SELECT last_value FROM events_position_seq) OR before <= (
        SELECT e.at FROM events e WHERE e.position >= part.low AND e.position < part.high
        ORDER BY e.position DESC LIMIT 1
    ) THEN
        RETURN false;
    END IF;
    RETURN NOT EXISTS (
        SELECT FROM events e WHERE e.position >= part.low AND e.position < part.high AND e.at >= before
    ) AND NOT EXISTS (
        SELECT FROM (
            SELECT DISTINCT e.tenant, e.stream FROM events e
            WHERE e.position >= part.low AND e.position < part.high
            AND e.stream NOT LIKE 'src\\_%' AND e.stream <> 'event_archives'
        ) s
        JOIN streams h ON h.tenant = s.tenant AND h.stream = s.stream
        JOIN events newest ON newest.tenant = h.tenant AND newest.stream = h.stream AND newest.seq = h.seq
        WHERE newest.at >= before
    ) AND NOT EXISTS (
        SELECT FROM events e WHERE e.position >= part.low AND e.position < part.high AND NOT EXISTS (
            SELECT FROM checkpoint_leaves l WHERE l.position = e.position AND l.hash = e.hash
        )
    );
END
$$;
CREATE FUNCTION archivable_events(before timestamptz) RETURNS TABLE (low bigint, high bigint, tenants text[])
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    part partitions;
BEGIN
    PERFORM refuse_recent(before);
    SELECT * INTO part FROM partitions p WHERE p.parent = 'events' ORDER BY p.low LIMIT 1;
    IF events_may_go(part, before) THEN
        RETURN QUERY SELECT part.low, part.high, array(
            SELECT DISTINCT e.tenant FROM events e WHERE e.position >= part.low AND e.position < part.high ORDER BY 1
        );
    END IF;
END
$$;
REVOKE ALL ON FUNCTION events_may_go(partitions, timestamptz) FROM PUBLIC;
"""

_DROP = """
CREATE FUNCTION drop_events(low_end bigint, before timestamptz) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    part partitions;
BEGIN
    PERFORM refuse_recent(before);
    PERFORM set_config('lock_timeout', '2s', true);
    SELECT * INTO part FROM partitions p WHERE p.parent = 'events' AND p.low = low_end FOR UPDATE;
    IF NOT FOUND THEN
        RETURN NULL;
    END IF;
    EXECUTE format('LOCK TABLE public.%I IN SHARE MODE', part.name);
    IF NOT events_may_go(part, before) THEN
        RAISE serialization_failure USING MESSAGE = 'these events may not go yet';
    END IF;
    IF EXISTS (
        SELECT FROM events e WHERE e.position >= part.low AND e.position < part.high AND NOT EXISTS (
            SELECT FROM event_archives a WHERE a.tenant = e.tenant AND e.position BETWEEN a.first AND a.last
        )
    ) OR EXISTS (
        SELECT FROM event_archives a WHERE a.first >= part.low AND a.last < part.high
        AND a.count || ' ' || a.contents IS DISTINCT FROM (
            SELECT count(*) || ' sha256:' || encode(
                sha256(convert_to(string_agg(e.hash, '' ORDER BY e.position), 'UTF8')), 'hex')
            FROM events e WHERE e.tenant = a.tenant AND e.position BETWEEN a.first AND a.last
        )
    ) THEN
        RAISE foreign_key_violation USING MESSAGE = 'these events are not archived, or not as they are';
    END IF;
    EXECUTE format('DROP TABLE public.%I', part.name);
    DELETE FROM partitions p WHERE p.name = part.name;
    RETURN part.name;
END
$$;
"""


def upgrade() -> None:
    """Make the list of archives, and the only ways out."""
    op.execute(_TABLE)
    wall("event_archives", "SELECT, INSERT")
    for table in ("event_archives", "streams"):
        open_to_owner(table)
    op.execute(_STEPS)
    op.execute(_MAY_GO)
    op.execute(_DROP)
    for function in (
        "drop_old_steps(text, timestamptz)",
        "drop_dead_letters(timestamptz)",
        "archivable_events(timestamptz)",
        "drop_events(bigint, timestamptz)",
    ):
        callable_by_app(function)
