"""The event log and the queue. Kind: expand."""

from alembic import op

from carapulse.migrations.tenancy import callable_by_app, open_to_owner, wall

revision = "0001"
down_revision = None

_TABLES = """
CREATE TABLE streams (
    tenant text NOT NULL CHECK (tenant <> ''),
    stream text NOT NULL CHECK (stream <> ''),
    seq bigint NOT NULL,
    hash text NOT NULL,
    PRIMARY KEY (tenant, stream)
);
CREATE TABLE events (
    position bigint GENERATED ALWAYS AS IDENTITY UNIQUE,
    xact xid8 NOT NULL DEFAULT pg_current_xact_id(),
    tenant text NOT NULL CHECK (tenant <> ''),
    stream text NOT NULL CHECK (stream <> ''),
    seq bigint NOT NULL CHECK (seq > 0),
    id text NOT NULL UNIQUE,
    type text NOT NULL,
    at timestamptz NOT NULL,
    actor text NOT NULL CHECK (actor <> ''),
    trace text NOT NULL,
    body jsonb NOT NULL,
    prev text NOT NULL,
    hash text NOT NULL CHECK (hash LIKE 'sha256:%'),
    PRIMARY KEY (tenant, stream, seq),
    CHECK ((seq = 1) = (prev = ''))
);
CREATE INDEX events_xact ON events (xact, position);
CREATE INDEX events_tenant_position ON events (tenant, position);
CREATE INDEX events_type ON events (tenant, type, position);
CREATE INDEX events_actor ON events (tenant, actor, position);
CREATE TABLE messages (
    id text PRIMARY KEY,
    tenant text NOT NULL CHECK (tenant <> ''),
    queue text NOT NULL,
    type text NOT NULL,
    body jsonb NOT NULL,
    actor jsonb NOT NULL,
    trace text NOT NULL,
    available_at timestamptz NOT NULL,
    attempts integer NOT NULL DEFAULT 0,
    receipt uuid,
    last_error text,
    dead_at timestamptz,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX messages_due ON messages (queue, available_at) WHERE dead_at IS NULL;
CREATE INDEX messages_dead ON messages (tenant, dead_at) WHERE dead_at IS NOT NULL;
"""

_TAKE = """
CREATE FUNCTION take_messages(queues text[], how_many integer, visibility interval) RETURNS SETOF messages
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, public AS $$
    UPDATE messages
    SET attempts = attempts + 1, receipt = gen_random_uuid(), available_at = clock_timestamp() + visibility
    WHERE id IN (
        SELECT id FROM messages
        WHERE queue = ANY (queues) AND dead_at IS NULL AND available_at <= clock_timestamp()
        ORDER BY available_at LIMIT how_many FOR UPDATE SKIP LOCKED
    )
    RETURNING *
$$
"""

_NEXT_DUE = """
CREATE FUNCTION next_message_due(queues text[]) RETURNS timestamptz
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public AS $$
    SELECT min(available_at) FROM messages WHERE queue = ANY (queues) AND dead_at IS NULL
$$
"""


def upgrade() -> None:
    """Make the log, its walls, and the queue with the only functions that see every tenant's messages."""
    op.execute(_TABLES)
    wall("streams", "SELECT, INSERT, UPDATE")
    wall("events", "SELECT, INSERT")
    wall("messages", "SELECT, INSERT, UPDATE, DELETE")
    open_to_owner("messages")
    op.execute(_TAKE)
    callable_by_app("take_messages(text[], integer, interval)")
    op.execute(_NEXT_DUE)
    callable_by_app("next_message_due(text[])")
