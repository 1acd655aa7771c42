"""State machines that carry plans: which there are, where they stand still, and what they ask. Kind: expand."""

from alembic import op

from carapulse.migrations.tenancy import callable_by_app, open_to_owner, wall

revision = "0030"
down_revision = "0029"

_TABLES = """
CREATE TABLE machines (
    tenant text NOT NULL CHECK (tenant <> ''),
    plan_id text NOT NULL,
    generation integer NOT NULL CHECK (generation > 0),
    trace text NOT NULL,
    started boolean NOT NULL,
    ended boolean NOT NULL,
    moved_at timestamptz NOT NULL,
    look_at timestamptz NOT NULL,
    PRIMARY KEY (tenant, plan_id, generation),
    FOREIGN KEY (tenant, plan_id) REFERENCES plans (tenant, id)
);
CREATE INDEX machines_look_at ON machines (look_at) WHERE NOT ended;
CREATE TABLE machine_waits (
    tenant text NOT NULL CHECK (tenant <> ''),
    id text NOT NULL,
    plan_id text NOT NULL,
    asked text NOT NULL CHECK (asked LIKE 'Await%'),
    step jsonb,
    token text NOT NULL CHECK (token <> ''),
    until timestamptz NOT NULL,
    PRIMARY KEY (tenant, id),
    FOREIGN KEY (tenant, plan_id) REFERENCES plans (tenant, id)
);
CREATE INDEX machine_waits_plan ON machine_waits (tenant, plan_id);
"""

# Machines that nobody has seen end. A change that waits for days is not looked at each minute: the longer it has been
# since its machine moved, the longer it is left alone, up to a quarter of an hour.
_LOOK = """
CREATE FUNCTION machines_to_look_after(how_many integer)
RETURNS TABLE (tenant text, plan_id text, generation integer, trace text)
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    WITH due AS (
        SELECT m.tenant, m.plan_id, m.generation FROM machines m
        WHERE NOT m.ended AND m.look_at <= clock_timestamp()
        ORDER BY m.look_at LIMIT how_many FOR NO KEY UPDATE SKIP LOCKED
    )
    UPDATE machines m SET look_at = clock_timestamp()
        + least(greatest(clock_timestamp() - m.moved_at, interval '1 minute'), interval '15 minutes')
    FROM due d WHERE m.tenant = d.tenant AND m.plan_id = d.plan_id AND m.generation = d.generation
    RETURNING m.tenant, m.plan_id, m.generation, m.trace
$$
"""

# What a machine asks becomes a message like every other, taken already by whoever it was brought to. Brought again, it
# is the same message, as long as it is not done.
_ENTER = """
CREATE FUNCTION enter_message(owner text, message text, delivery uuid, content jsonb, hidden interval)
RETURNS SETOF messages LANGUAGE plpgsql AS $$
BEGIN
    PERFORM bind_tenant(owner);
    INSERT INTO messages (id, tenant, queue, type, body, actor, trace, attempts, receipt, available_at)
    VALUES (message, owner, content ->> 'queue', content ->> 'type', content -> 'body', content -> 'actor',
        content ->> 'trace', 1, delivery, clock_timestamp() + hidden)
    ON CONFLICT (id) DO NOTHING;
    RETURN QUERY UPDATE messages m SET available_at = greatest(m.available_at, clock_timestamp() + hidden)
    WHERE m.tenant = owner AND m.id = message AND m.receipt = delivery AND m.dead_at IS NULL
    RETURNING m.*;
END
$$
"""


def upgrade() -> None:
    """Make the tables, and the functions that look after machines and take what they ask."""
    op.execute(_TABLES)
    wall("machines", "SELECT, INSERT, UPDATE")
    wall("machine_waits", "SELECT, INSERT, DELETE")
    open_to_owner("machines")
    op.execute(_LOOK)
    op.execute(_ENTER)
    callable_by_app("machines_to_look_after(integer)")
    callable_by_app("enter_message(text, text, uuid, jsonb, interval)")
