"""What a step costs: one statement that writes it, leases of workers, and the clock's list. Kind: expand.

An execution is kept in three columns: what changes with every step, what never changes, and what was captured before.
"""

from alembic import op

from carapulse.migrations.tenancy import callable_by_app, open_to_owner, wall

revision = "0009"
down_revision = "0008"

_TABLES = """
ALTER TABLE executions
    ADD COLUMN facts jsonb,
    ADD COLUMN captured jsonb NOT NULL DEFAULT '{}',
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
DROP TABLE step_leases;
CREATE TABLE run_leases (
    id text PRIMARY KEY,
    tenant text NOT NULL CHECK (tenant <> ''),
    execution_id text NOT NULL,
    until timestamptz NOT NULL
);
CREATE INDEX run_leases_execution ON run_leases (tenant, execution_id);
ALTER TABLE step_outputs DROP CONSTRAINT step_outputs_tenant_execution_id_fkey;
ALTER TABLE step_lines DROP CONSTRAINT step_lines_tenant_execution_id_fkey;
CREATE UNIQUE INDEX step_lines_number ON step_lines (tenant, execution_id, n);
DROP INDEX step_lines_execution;
ALTER TABLE step_lines DROP CONSTRAINT step_lines_pkey;
ALTER TABLE step_lines ALTER COLUMN n DROP IDENTITY;
"""

# What was kept before: facts and what was captured stood in the state.
_SPLIT = """
UPDATE executions e SET
    facts = (SELECT coalesce(jsonb_agg(step -> 'facts' ORDER BY place), '[]')
        FROM jsonb_array_elements(e.state -> 'steps') WITH ORDINALITY AS s (step, place)),
    captured = (SELECT coalesce(jsonb_object_agg(step -> 'facts' ->> 'id', step -> 'captured'), '{}')
        FROM jsonb_array_elements(e.state -> 'steps') AS s (step) WHERE jsonb_typeof(step -> 'captured') <> 'null'),
    state = jsonb_set(e.state, '{steps}', (SELECT coalesce(jsonb_agg(step - 'facts' - 'captured' ORDER BY place), '[]')
        FROM jsonb_array_elements(e.state -> 'steps') WITH ORDINALITY AS s (step, place))),
    lines = coalesce((SELECT max(n) FROM step_lines l WHERE l.tenant = e.tenant AND l.execution_id = e.id), 0),
    look_at = CASE WHEN e.finished_at IS NULL THEN clock_timestamp() END;
ALTER TABLE executions ALTER COLUMN facts SET NOT NULL;
DELETE FROM messages WHERE type IN ('RunStep', 'EndExecution');
"""

# Everything that a step changes, in one statement, for many runs at once. The stream's head is the one thing that
# decides: each fact about a plan moves it, so a head that is still what the writer read says that nothing has changed
# since - no other worker's result, no cancel, no revoked approval. What does not match is neither written nor returned.
# Locks are taken in the order that units of work have: the execution, then the plan, then the head.
_WRITE = """
CREATE FUNCTION write_steps(owner text, items jsonb) RETURNS SETOF text
LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    PERFORM set_config('carapulse.tenant', owner, true);
    RETURN QUERY
    WITH item AS MATERIALIZED (
        SELECT * FROM jsonb_to_recordset(items) AS i (
            execution_id text, plan_id text, seq bigint, next_seq bigint, hash text, status text, state jsonb,
            captured jsonb, look_at timestamptz, finished_at timestamptz, plan_done boolean, lines bigint,
            lease text, lease_s float8, ends text, events jsonb, outputs jsonb, messages jsonb, spoken jsonb)
    ), held AS MATERIALIZED (
        SELECT e.id FROM executions e
        WHERE e.tenant = owner AND e.id IN (SELECT execution_id FROM item) ORDER BY e.id FOR NO KEY UPDATE
    ), ending AS MATERIALIZED (
        SELECT p.id FROM plans p, (SELECT count(*) FROM held) AS after
        WHERE p.tenant = owner AND p.id IN (SELECT plan_id FROM item WHERE plan_done)
        ORDER BY p.id FOR NO KEY UPDATE OF p
    ), head AS (
        UPDATE streams s SET seq = i.next_seq, hash = i.hash FROM item i JOIN held h ON h.id = i.execution_id
        WHERE s.tenant = owner AND s.stream = i.plan_id AND s.seq = i.seq AND (SELECT count(*) FROM ending) >= 0
        RETURNING i.execution_id AS id
    ), kept AS (
        UPDATE executions e SET status = i.status, state = i.state, finished_at = i.finished_at,
            captured = CASE WHEN i.captured IS NULL THEN e.captured ELSE e.captured || i.captured END,
            look_at = coalesce(i.look_at, e.look_at), lines = e.lines + i.lines
        FROM item i JOIN head ON head.id = i.execution_id WHERE e.tenant = owner AND e.id = i.execution_id
        RETURNING e.id, e.lines - i.lines AS lines, i.plan_id, i.plan_done, i.finished_at,
            i.lease, i.lease_s, i.ends, i.events, i.outputs, i.messages, i.spoken
    ), logged AS (
        INSERT INTO events (tenant, stream, seq, id, type, at, actor, trace, body, prev, hash)
        SELECT owner, k.plan_id, v.seq, v.id, v.type, v.at, v.actor, v.trace, v.body, v.prev, v.hash
        FROM kept k, jsonb_to_recordset(k.events) AS v (
            seq bigint, id text, type text, at timestamptz, actor text, trace text, body jsonb, prev text, hash text)
    ), produced AS (
        INSERT INTO step_outputs (tenant, execution_id, step_id, phase, fence, digest, output, text, truncated)
        SELECT owner, k.id, o.step_id, o.phase, o.fence, o.digest, o.output, o.text, o.truncated
        FROM kept k, jsonb_to_recordset(k.outputs) AS o (
            step_id text, phase text, fence integer, digest text, output jsonb, text text, truncated boolean)
    ), said AS (
        INSERT INTO step_lines (n, tenant, execution_id, step_id, phase, at, line)
        SELECT k.lines + l.n, owner, k.id, l.step_id, l.phase, l.at, l.line
        FROM kept k, jsonb_to_recordset(k.spoken) AS l (n bigint, step_id text, phase text, at timestamptz, line text)
    ), sent AS (
        INSERT INTO messages (id, tenant, queue, type, body, actor, trace, available_at)
        SELECT m.id, owner, m.queue, m.type, m.body, m.actor, m.trace,
            clock_timestamp() + make_interval(secs => m.delay_s)
        FROM kept k, jsonb_to_recordset(k.messages) AS m (
            id text, queue text, type text, body jsonb, actor jsonb, trace text, delay_s float8)
        RETURNING queue
    ), leased AS (
        INSERT INTO run_leases (id, tenant, execution_id, until)
        SELECT k.lease, owner, k.id, clock_timestamp() + make_interval(secs => k.lease_s)
        FROM kept k WHERE k.lease IS NOT NULL
        ON CONFLICT (id) DO UPDATE SET until = excluded.until
    ), unleased AS (
        DELETE FROM run_leases l USING kept k WHERE l.tenant = owner AND l.id = k.ends
    ), freed AS (
        DELETE FROM target_locks t USING kept k
        WHERE k.finished_at IS NOT NULL AND t.tenant = owner AND t.execution_id = k.id
    ), done AS (
        UPDATE plans p SET status = 'done' FROM kept k
        WHERE k.plan_done AND p.tenant = owner AND p.id = k.plan_id AND p.status = 'executing'
    ), woken AS (
        SELECT count(pg_notify('carapulse_messages', queue)) FROM (SELECT DISTINCT queue FROM sent) AS queues
    )
    SELECT k.id FROM kept k, woken;
END $$
"""

_READ = """
CREATE FUNCTION read_run(owner text, run text) RETURNS TABLE (
    plan_id text, seq bigint, hash text, state jsonb, facts jsonb, captured jsonb, leases text[])
LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    PERFORM set_config('carapulse.tenant', owner, true);
    RETURN QUERY
    SELECT e.plan_id, s.seq, s.hash, e.state, e.facts, e.captured, ARRAY(
        SELECT l.id FROM run_leases l WHERE l.tenant = owner AND l.execution_id = e.id AND l.until > clock_timestamp())
    FROM executions e JOIN streams s ON s.tenant = e.tenant AND s.stream = e.plan_id
    WHERE e.tenant = owner AND e.id = run;
END $$
"""

_HOLDS = """
CREATE FUNCTION holds_event(owner text, name text, number bigint, sealed text) RETURNS boolean
LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    PERFORM set_config('carapulse.tenant', owner, true);
    RETURN EXISTS (SELECT FROM events WHERE tenant = owner AND stream = name AND seq = number AND hash = sealed);
END $$
"""

_LEASES = """
CREATE FUNCTION end_lease(owner text, lease text) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    PERFORM set_config('carapulse.tenant', owner, true);
    DELETE FROM run_leases WHERE tenant = owner AND id = lease;
END $$
"""

_ACKNOWLEDGE = """
CREATE FUNCTION acknowledge_message(owner text, message text, delivery uuid) RETURNS boolean
LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
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
    open_to_owner("step_lines")
    op.execute(_SPLIT)
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
