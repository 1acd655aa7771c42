"""API keys, and the one question about them that is asked before the tenant is known. Kind: expand.

What proves a key is kept as a keyed hash. The app role may note when it was used and that it is revoked, and no more.
"""

from alembic import op

from carapulse.migrations.tenancy import callable_by_app, open_to_owner, wall

revision = "0015"
down_revision = "0014"

_TABLE = """
CREATE TABLE api_keys (
    tenant text NOT NULL CHECK (tenant <> ''),
    id text COLLATE "C" NOT NULL CHECK (id LIKE 'key\\_%'),
    name text NOT NULL CHECK (name <> ''),
    prefix text COLLATE "C" NOT NULL UNIQUE CHECK (prefix ~ '^[a-z0-9]{12}$'),
    mark text NOT NULL CHECK (mark ~ '^[0-9a-f]{64}$'),
    kind text NOT NULL CHECK (kind IN ('service', 'agent')),
    roles text[] NOT NULL CHECK (cardinality(roles) > 0),
    environments text[],
    services text[],
    clusters text[],
    created_by text NOT NULL CHECK (created_by <> ''),
    created_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL CHECK (expires_at > created_at),
    last_used_at timestamptz,
    revoked_at timestamptz,
    revoked_by text,
    PRIMARY KEY (tenant, id),
    CHECK (expires_at <= created_at + interval '366 days'),
    CHECK ((revoked_at IS NULL) = (revoked_by IS NULL))
);
"""

_FIND = """
CREATE FUNCTION find_api_key(wanted text) RETURNS SETOF api_keys
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT k.* FROM api_keys k WHERE k.prefix = wanted
$$
"""


def upgrade() -> None:
    """Make the table and the question."""
    op.execute(_TABLE)
    wall("api_keys", "SELECT, INSERT, UPDATE (last_used_at, revoked_at, revoked_by)")
    open_to_owner("api_keys")
    op.execute(_FIND)
    callable_by_app("find_api_key(text)")
