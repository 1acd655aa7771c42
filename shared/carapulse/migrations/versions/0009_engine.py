"""What a step costs: one statement that writes it, leases of workers, and the clock's list. Kind: expand.

Each step of an execution gets a row of its own, so that a step costs the same in a small plan and in a large one.
"""

from alembic import op

from carapulse.migrations.tenancy import callable_by_app, open_to_owner, wall

revision = "0009"
down_revision = "0008"

_TABLES = """
ALTER TABLE executions
    ADD COLUMN dry_run boolean NOT NULL DEFAULT false,
    ADD COLUMN lines bigint NOT NULL DEFAULT 0,
    ADD COLUMN look_at timestamptz;
ALTER TABLE executions DROP CONSTRAINT executions_check;
ALTER TABLE executions ADD CONSTRAINT executions_finished CHECK (
    CASE WHEN status IN ('running', 'undoing') THEN finished_at IS NULL
    ELSE finished_at IS NOT NULL OR status = 'needs_human' END);
DROP INDEX executions_one_active;
CREATE UNIQUE INDEX executions_one_active ON executions (tenant, plan_id) WHERE finished_at IS NULL AND NOT dry_run;
CREATE INDEX executions_look_at ON executions (look_at) WHERE finished_at IS NULL;
CREATE INDEX executions_plan ON executions (tenant, plan_id, id);
CREATE TABLE execution_steps (
    tenant text NOT NULL,
    execution_id text NOT NULL,
    place integer NOT NULL,
    step_id text NOT NULL,
    parts jsonb NOT NULL,
    facts jsonb NOT NULL,
    captured jsonb,
    PRIMARY KEY (tenant, execution_id, place),
    FOREIGN KEY (tenant, execution_id) REFERENCES executions (tenant, id)
) WITH (fillfactor = 70);
ALTER TABLE executions SET (fillfactor = 70);
DROP TABLE step_leases;
CREATE TABLE run_leases (
    id text PRIMARY KEY,
    tenant text NOT NULL CHECK (tenant <> ''),
    execution_id text NOT NULL,
    until timestamptz NOT NULL
);
CREATE INDEX run_leases_execution ON run_leases (tenant, execution_id);
"""

# What was kept before: the steps stood in the state.
_SPLIT = """
INSERT INTO execution_steps (tenant, execution_id, place, step_id, parts, facts, captured)
SELECT e.tenant, e.id, place, step -> 'facts' ->> 'id', step - 'facts' - 'captured', step -> 'facts',
    nullif(step -> 'captured', 'null')
FROM executions e, jsonb_array_elements(e.state -> 'steps') WITH ORDINALITY AS s (step, place);
UPDATE executions e SET
    state = e.state - 'steps',
    lines = coalesce((SELECT max(n) FROM step_lines l WHERE l.tenant = e.tenant AND l.execution_id = e.id), 0),
    look_at = CASE WHEN e.finished_at IS NULL THEN clock_timestamp() END;
DELETE FROM messages WHERE type IN ('RunStep', 'EndExecution');
"""

# Everything that a step changes, in one call, for many runs at once. The stream's head is the one thing that decides:
# each fact about a plan moves it, so a head that is still what the writer read says that nothing has changed since - no
# other worker's result, no cancel, no revoked approval. What does not match is neither written nor returned.
# Locks are taken in the order that units of work have: the execution, then the plan, then the head. Small statements
# with plans of their own cost a third of what one large one does, which starts and ends all its parts each time.
_WRITE = """
CREATE FUNCTION write_steps(owner text, items jsonb) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
    item jsonb;
    part jsonb;
    run text;
    lines_before bigint;
    held_s float8;
BEGIN
    PERFORM set_config('carapulse.tenant', owner, true);
    FOR item IN SELECT value FROM jsonb_array_elements(items) ORDER BY value ->> 'execution_id' LOOP
        run := item ->> 'execution_id';
        PERFORM FROM executions WHERE tenant = owner AND id = run FOR NO KEY UPDATE;
        IF item ? 'plan_done' THEN
            PERFORM FROM plans WHERE tenant = owner AND id = item ->> 'plan_id' FOR NO KEY UPDATE;
        END IF;
        UPDATE streams SET seq = (item ->> 'next_seq')::bigint, hash = item ->> 'hash'
        WHERE tenant = owner AND stream = item ->> 'plan_id' AND seq = (item ->> 'seq')::bigint;
        CONTINUE WHEN NOT FOUND;
        UPDATE executions SET status = item ->> 'status', state = item -> 'state',
            finished_at = (item ->> 'finished_at')::timestamptz,
            look_at = coalesce((item ->> 'look_at')::timestamptz, look_at),
            lines = lines + (item ->> 'lines')::bigint
        WHERE tenant = owner AND id = run RETURNING lines - (item ->> 'lines')::bigint INTO lines_before;
        FOR part IN SELECT value FROM jsonb_array_elements(item -> 'steps') LOOP
            UPDATE execution_steps SET parts = part -> 'parts', captured = coalesce(part -> 'captured', captured)
            WHERE tenant = owner AND execution_id = run AND place = (part ->> 'place')::integer;
        END LOOP;
        INSERT INTO events (tenant, stream, seq, id, type, at, actor, trace, body, prev, hash)
        SELECT owner, item ->> 'plan_id', v.seq, v.id, v.type, v.at, v.actor, v.trace, v.body, v.prev, v.hash
        FROM jsonb_to_recordset(item -> 'events') AS v (
            seq bigint, id text, type text, at timestamptz, actor text, trace text, body jsonb, prev text, hash text);
        IF item ? 'outputs' THEN
            INSERT INTO step_outputs (tenant, execution_id, step_id, phase, fence, digest, output, text, truncated)
            SELECT owner, run, o.step_id, o.phase, o.fence, o.digest, o.output, o.text, o.truncated
            FROM jsonb_to_recordset(item -> 'outputs') AS o (
                step_id text, phase text, fence integer, digest text, output jsonb, text text, truncated boolean);
        END IF;
        IF item ? 'spoken' THEN
            INSERT INTO step_lines (n, tenant, execution_id, step_id, phase, at, line)
            SELECT lines_before + l.n, owner, run, l.step_id, l.phase, l.at, l.line
            FROM jsonb_to_recordset(item -> 'spoken') AS l (
                n bigint, step_id text, phase text, at timestamptz, line text);
        END IF;
        IF item ? 'messages' THEN
            FOR part IN SELECT value FROM jsonb_array_elements(item -> 'messages') LOOP
                INSERT INTO messages (id, tenant, queue, type, body, actor, trace, available_at)
                VALUES (part ->> 'id', owner, part ->> 'queue', part ->> 'type', part -> 'body', part -> 'actor',
                    part ->> 'trace', clock_timestamp() + make_interval(secs => (part ->> 'delay_s')::float8));
                PERFORM pg_notify('carapulse_messages', part ->> 'queue');
            END LOOP;
        END IF;
        IF item ? 'lease' THEN
            held_s := (item ->> 'lease_s')::float8;
            PERFORM FROM run_leases
            WHERE id = item ->> 'lease' AND until > clock_timestamp() + make_interval(secs => held_s / 2);
            IF NOT FOUND THEN
                INSERT INTO run_leases (id, tenant, execution_id, until)
                VALUES (item ->> 'lease', owner, run, clock_timestamp() + make_interval(secs => held_s))
                ON CONFLICT (id) DO UPDATE SET until = excluded.until;
            END IF;
        END IF;
        IF item ->> 'finished_at' IS NOT NULL THEN
            DELETE FROM target_locks WHERE tenant = owner AND execution_id = run;
        END IF;
        IF item ->> 'finished_at' IS NOT NULL OR item ->> 'status' = 'needs_human' THEN
            DELETE FROM run_leases WHERE tenant = owner AND execution_id = run;
        ELSIF item ? 'ends' THEN
            DELETE FROM run_leases
            WHERE tenant = owner AND execution_id = run AND (id = item ->> 'ends' OR until <= clock_timestamp());
        END IF;
        IF item ? 'plan_done' THEN
            UPDATE plans SET status = 'done'
            WHERE tenant = owner AND id = item ->> 'plan_id' AND status = 'executing';
        END IF;
        RETURN NEXT run;
    END LOOP;
END $$
"""

_READ = """
CREATE FUNCTION read_run(owner text, run text) RETURNS TABLE (
    seq bigint, hash text, state jsonb, steps jsonb, leases text[], approval jsonb)
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM set_config('carapulse.tenant', owner, true);
    RETURN QUERY
    SELECT h.seq, h.hash, e.state,
        (SELECT jsonb_agg(jsonb_build_array(s.parts, s.facts, s.captured) ORDER BY s.place) FROM execution_steps s
            WHERE s.tenant = owner AND s.execution_id = e.id),
        ARRAY(SELECT l.id FROM run_leases l
            WHERE l.tenant = owner AND l.execution_id = e.id AND l.until > clock_timestamp()),
        (SELECT to_jsonb(a) || jsonb_build_object('answers', coalesce((
            SELECT jsonb_agg(to_jsonb(w) ORDER BY w.at) FROM approval_answers w
            WHERE w.tenant = owner AND w.approval_id = a.id), '[]'))
            FROM approvals a WHERE a.tenant = owner AND a.id = e.state ->> 'approval_id')
    FROM executions e JOIN streams h ON h.tenant = e.tenant AND h.stream = e.plan_id
    WHERE e.tenant = owner AND e.id = run;
END $$
"""

_HOLDS = """
CREATE FUNCTION holds_event(owner text, name text, number bigint, sealed text) RETURNS boolean
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM set_config('carapulse.tenant', owner, true);
    RETURN EXISTS (SELECT FROM events WHERE tenant = owner AND stream = name AND seq = number AND hash = sealed);
END $$
"""

_LEASES = """
CREATE FUNCTION end_lease(owner text, lease text) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM set_config('carapulse.tenant', owner, true);
    DELETE FROM run_leases WHERE tenant = owner AND id = lease;
END $$
"""

_ACKNOWLEDGE = """
CREATE FUNCTION acknowledge_message(owner text, message text, delivery uuid) RETURNS boolean
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM set_config('carapulse.tenant', owner, true);
    DELETE FROM messages WHERE tenant = owner AND id = message AND receipt = delivery;
    RETURN FOUND;
END $$
"""

# What waits for the clock, or for a worker that never came back: executions whose moment has come and that nobody
# is at. Their next moment is a while later, so that two who ask at once get different ones.
_LOOK = """
CREATE FUNCTION executions_to_look_after(how_many integer, again interval)
RETURNS TABLE (tenant text, execution_id text, requested_by jsonb)
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    WITH due AS (
        SELECT e.tenant, e.id FROM executions e
        WHERE e.finished_at IS NULL AND e.look_at <= clock_timestamp()
        ORDER BY e.look_at LIMIT how_many FOR NO KEY UPDATE SKIP LOCKED
    ), asked AS (
        UPDATE executions e SET look_at = clock_timestamp() + again FROM due d
        WHERE e.tenant = d.tenant AND e.id = d.id
        RETURNING e.tenant, e.id, e.state -> 'requested_by' AS requested_by
    )
    SELECT a.tenant, a.id, a.requested_by FROM asked a
    WHERE NOT EXISTS (
        SELECT FROM run_leases l
        WHERE l.tenant = a.tenant AND l.execution_id = a.id AND l.until > clock_timestamp())
$$
"""


def upgrade() -> None:
    """Change the tables, and make the functions that write steps and that see what waits for the clock."""
    op.execute(_TABLES)
    open_to_owner("executions")
    op.execute("ALTER TABLE step_lines NO FORCE ROW LEVEL SECURITY")
    op.execute(_SPLIT)
    op.execute("ALTER TABLE step_lines FORCE ROW LEVEL SECURITY")
    wall("execution_steps", "SELECT, INSERT, UPDATE")
    wall("run_leases", "SELECT, INSERT, UPDATE, DELETE")
    open_to_owner("run_leases")
    for function in (_WRITE, _READ, _HOLDS, _LEASES, _ACKNOWLEDGE, _LOOK):
        op.execute(function)
    callable_by_app("executions_to_look_after(integer, interval)")
    for signature in _AS_CALLER:
        callable_by_app(signature)


_AS_CALLER = (
    "write_steps(text, jsonb)",
    "read_run(text, text)",
    "holds_event(text, text, bigint, text)",
    "end_lease(text, text)",
    "acknowledge_message(text, text, uuid)",
)
