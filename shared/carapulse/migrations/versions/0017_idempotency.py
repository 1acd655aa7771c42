"""Which request an idempotency key was given to, and what it was answered. Kind: expand.

An ordinary table, which outlives a crash: a request that wrote something has marked its key in the same transaction,
and that mark is what keeps it from being carried out twice.
"""

from alembic import op

from carapulse.migrations.tenancy import callable_by_app, open_to_owner, wall

revision = "0017"
down_revision = "0016"

_TABLE = """
CREATE TABLE idempotency_keys (
    tenant text NOT NULL CHECK (tenant <> ''),
    actor text NOT NULL CHECK (actor <> ''),
    key text COLLATE "C" NOT NULL CHECK (length(key) BETWEEN 1 AND 255),
    fingerprint text NOT NULL CHECK (fingerprint LIKE 'sha256:%'),
    attempt text NOT NULL CHECK (attempt LIKE 'attempt\\_%'),
    state text NOT NULL CHECK (state IN ('running', 'written', 'answered')),
    trace text NOT NULL,
    claimed_at timestamptz NOT NULL,
    leased_until timestamptz NOT NULL CHECK (leased_until > claimed_at),
    permission text,
    status smallint CHECK (status BETWEEN 200 AND 499),
    location text,
    withheld text CHECK (withheld IN ('secret', 'size')),
    sealed text CHECK (length(sealed) <= 1000000),
    PRIMARY KEY (tenant, actor, key),
    CHECK ((state = 'answered') = (status IS NOT NULL)),
    CHECK ((state = 'answered') = (permission IS NOT NULL)),
    CHECK ((state = 'answered') = ((sealed IS NULL) <> (withheld IS NULL)))
);
CREATE INDEX idempotency_keys_claimed ON idempotency_keys (claimed_at);
"""

_DROP = """
CREATE FUNCTION drop_idempotency_keys(kept interval) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    before timestamptz := clock_timestamp() - kept;
    gone bigint;
BEGIN
    IF kept IS NULL OR kept < interval '24 hours' THEN
        RAISE check_violation USING MESSAGE = 'what is younger than a day stays';
    END IF;
    DELETE FROM idempotency_keys k WHERE (k.tenant, k.actor, k.key) IN (
        SELECT o.tenant, o.actor, o.key FROM idempotency_keys o
        WHERE o.claimed_at < before ORDER BY o.claimed_at LIMIT 10000 FOR UPDATE SKIP LOCKED
    );
    GET DIAGNOSTICS gone = ROW_COUNT;
    RETURN gone;
END
$$
"""


def upgrade() -> None:
    """Make the table, and the one way in which keys of every tenant go: when they are old."""
    op.execute(_TABLE)
    wall("idempotency_keys", "SELECT, INSERT, UPDATE, DELETE")
    open_to_owner("idempotency_keys")
    op.execute(_DROP)
    callable_by_app("drop_idempotency_keys(interval)")
