"""Clients whose sockets a gateway holds, what each follows and was told, and who tells them. Kind: expand.

A message and a farewell name a connection and no tenant, and whoever tells clients tells those of all tenants: each
asks one function. Whoever wants to tell them takes the one row of `live_pusher` for some seconds. A connection adds one
to `wanted` in the transaction that makes it, and nobody can stop who has not seen that.
"""

from alembic import op

from carapulse.migrations.tenancy import callable_by_app, open_to_owner, wall

revision = "0031"
down_revision = "0030"

_TABLES = """
CREATE TABLE live_connections (
    tenant text NOT NULL CHECK (tenant <> ''),
    id text NOT NULL CHECK (id <> ''),
    principal jsonb NOT NULL CHECK (principal ->> 'tenant' = tenant),
    ask jsonb NOT NULL,
    turn integer NOT NULL CHECK (turn > 0),
    since bigint CHECK (since >= 0),
    pings integer NOT NULL CHECK (pings >= 0),
    ending jsonb,
    opened_at timestamptz NOT NULL,
    heard_at timestamptz NOT NULL,
    heard integer NOT NULL CHECK (heard >= 0),
    told bigint CHECK (told >= 0),
    opened integer NOT NULL CHECK (opened BETWEEN 0 AND turn),
    pongs integer NOT NULL CHECK (pongs BETWEEN 0 AND pings),
    spoke_at timestamptz NOT NULL,
    refused_at timestamptz,
    PRIMARY KEY (tenant, id)
);
CREATE UNIQUE INDEX live_connections_id ON live_connections (id);
CREATE TABLE live_pusher (
    only_one boolean PRIMARY KEY CHECK (only_one),
    holder text NOT NULL,
    until timestamptz NOT NULL,
    wanted bigint NOT NULL
);
INSERT INTO live_pusher VALUES (true, '', '-infinity', 0);
"""

_FUNCTIONS = {
    "connection_tenant(text)": """
CREATE FUNCTION connection_tenant(wanted text) RETURNS text LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT c.tenant FROM live_connections c WHERE c.id = wanted
$$
""",
    "connections_to_tell()": """
CREATE FUNCTION connections_to_tell() RETURNS SETOF live_connections LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT c.* FROM live_connections c ORDER BY c.tenant, c.id
$$
""",
    "connections_in_all()": """
CREATE FUNCTION connections_in_all() RETURNS bigint LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT count(*) FROM live_connections
$$
""",
    "pusher_wanted()": """
CREATE FUNCTION pusher_wanted() RETURNS boolean LANGUAGE sql SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp AS $$
    UPDATE live_pusher SET wanted = wanted + 1 RETURNING until <= clock_timestamp()
$$
""",
    "hold_pusher(text, double precision)": """
CREATE FUNCTION hold_pusher(me text, seconds double precision) RETURNS bigint LANGUAGE sql SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp AS $$
    UPDATE live_pusher SET holder = me, until = clock_timestamp() + make_interval(secs => seconds)
    WHERE holder = me OR until <= clock_timestamp() RETURNING wanted
$$
""",
    "leave_pusher(text, bigint)": """
CREATE FUNCTION leave_pusher(me text, seen bigint) RETURNS boolean LANGUAGE sql SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp AS $$
    UPDATE live_pusher SET until = '-infinity' WHERE holder = me AND wanted = coalesce(seen, wanted) RETURNING true
$$
""",
}


def upgrade() -> None:
    """Make the tables, and the functions that look over the walls or take turns."""
    op.execute(_TABLES)
    wall("live_connections", "SELECT, INSERT, UPDATE, DELETE")
    open_to_owner("live_connections")
    for signature, function in _FUNCTIONS.items():
        op.execute(function)
        callable_by_app(signature)
