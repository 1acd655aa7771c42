"""Channels, the secrets that sign their messages, and the messages. Kind: expand.

`reached` is the place in the log up to which a channel was told. It moves in the transaction that writes the messages,
from where it was when the log was read, so no event is left out and none is told twice. Whoever asks for a look notes
when in `asked_at`, so that one question waits at a time. `tenants_to_tell` looks over the walls for the clock.

The streams of channels never rest, as those of sources, and keep no event from its archive.
"""

from alembic import op

from carapulse.migrations.tenancy import callable_by_app, open_to_owner, wall

revision = "0034"
down_revision = "0033"

_TABLES = """
CREATE TABLE channels (
    tenant text NOT NULL CHECK (tenant <> ''),
    id text COLLATE "C" NOT NULL CHECK (id LIKE 'channel\\_%'),
    name text NOT NULL CHECK (name <> ''),
    kind text NOT NULL CHECK (kind IN ('webhook', 'slack')),
    address text NOT NULL CHECK (address <> ''),
    sealed text,
    rules jsonb NOT NULL CHECK (jsonb_typeof(rules -> 'events') = 'array'),
    revision integer NOT NULL CHECK (revision > 0),
    put_by text NOT NULL CHECK (put_by <> ''),
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    off_at timestamptz,
    off_why text,
    retired_at timestamptz,
    reached bigint NOT NULL CHECK (reached >= 0),
    asked_at timestamptz,
    failures integer NOT NULL CHECK (failures >= 0),
    paused_until timestamptz,
    PRIMARY KEY (tenant, id),
    CHECK ((sealed IS NULL) = (retired_at IS NOT NULL)),
    CHECK ((off_at IS NULL) = (off_why IS NULL))
);
CREATE UNIQUE INDEX channels_one_of_a_name ON channels (tenant, name) WHERE retired_at IS NULL;
CREATE TABLE channel_secrets (
    tenant text NOT NULL CHECK (tenant <> ''),
    id text COLLATE "C" NOT NULL,
    channel_id text COLLATE "C" NOT NULL,
    sealed text NOT NULL,
    created_at timestamptz NOT NULL,
    expires_at timestamptz,
    PRIMARY KEY (tenant, id),
    FOREIGN KEY (tenant, channel_id) REFERENCES channels (tenant, id)
);
CREATE INDEX channel_secrets_channel ON channel_secrets (tenant, channel_id, id);
CREATE TABLE channel_deliveries (
    tenant text NOT NULL CHECK (tenant <> ''),
    id text COLLATE "C" NOT NULL CHECK (id LIKE 'notice\\_%'),
    channel_id text COLLATE "C" NOT NULL,
    position bigint CHECK (position > 0),
    event text NOT NULL CHECK (event <> ''),
    subject text NOT NULL CHECK (subject <> ''),
    body text NOT NULL CHECK (body <> ''),
    status text NOT NULL CHECK (status IN ('waiting', 'delivered', 'failed', 'skipped')),
    attempts integer NOT NULL CHECK (attempts >= 0),
    http_status integer,
    last_error text,
    created_at timestamptz NOT NULL,
    done_at timestamptz,
    sending_until timestamptz,
    PRIMARY KEY (tenant, id),
    FOREIGN KEY (tenant, channel_id) REFERENCES channels (tenant, id),
    CHECK ((status = 'waiting') = (done_at IS NULL))
);
CREATE UNIQUE INDEX channel_deliveries_once ON channel_deliveries (tenant, channel_id, position);
CREATE INDEX channel_deliveries_newest ON channel_deliveries (tenant, channel_id, id);
CREATE INDEX channel_deliveries_waiting ON channel_deliveries (tenant, channel_id) WHERE status = 'waiting';
CREATE INDEX channel_deliveries_done ON channel_deliveries (done_at);
"""

_FUNCTIONS = {
    "tenants_to_tell()": """
CREATE FUNCTION tenants_to_tell() RETURNS SETOF text LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT DISTINCT c.tenant FROM channels c
    WHERE c.retired_at IS NULL AND c.off_at IS NULL
    AND c.reached < coalesce(pg_sequence_last_value('public.events_position_seq'), 0)
    AND (c.asked_at IS NULL OR c.asked_at < clock_timestamp() - interval '30 seconds')
$$
""",
    "drop_channel_deliveries(timestamptz)": """
CREATE FUNCTION drop_channel_deliveries(before timestamptz) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    gone bigint;
BEGIN
    PERFORM refuse_recent(before);
    DELETE FROM channel_deliveries WHERE (tenant, id) IN (
        SELECT d.tenant, d.id FROM channel_deliveries d WHERE d.done_at < before LIMIT 10000 FOR UPDATE SKIP LOCKED
    );
    GET DIAGNOSTICS gone = ROW_COUNT;
    RETURN gone;
END
$$
""",
}

_MAY_GO = """
CREATE OR REPLACE FUNCTION events_may_go(part partitions, before timestamptz) RETURNS boolean
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
            AND e.stream NOT LIKE 'src\\_%' AND e.stream NOT LIKE 'channel\\_%' AND e.stream <> 'event_archives'
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
$$
"""


def upgrade() -> None:
    """Make the tables, and the functions that look over the walls."""
    op.execute(_TABLES)
    wall("channels", "SELECT, INSERT, UPDATE")
    wall("channel_secrets", "SELECT, INSERT, UPDATE, DELETE")
    wall("channel_deliveries", "SELECT, INSERT, UPDATE")
    open_to_owner("channels")
    open_to_owner("channel_deliveries")
    op.execute(_MAY_GO)
    for signature, function in _FUNCTIONS.items():
        op.execute(function)
        callable_by_app(signature)
