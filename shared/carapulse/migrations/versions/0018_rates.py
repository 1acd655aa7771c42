"""How often somebody asked, counted for all processes together. Kind: expand.

What is counted holds for a minute, so it need not outlive a crash of the server: the table is not logged, and a claim
waits for no disk. Windows are those of the database's clock, which all processes share. A clock that was set back does
not give a window twice: the newer one stays until the clock has come there, but for two windows at most.
"""

from alembic import op

from carapulse.migrations.tenancy import callable_by_app, open_to_owner, wall

revision = "0018"
down_revision = "0017"

_TABLE = """
CREATE UNLOGGED TABLE rates (
    tenant text NOT NULL CHECK (tenant <> ''),
    class text NOT NULL CHECK (class IN ('read', 'write', 'start', 'stream', 'webhook')),
    kind text NOT NULL CHECK (kind IN ('actor', 'tenant', 'source')),
    name text COLLATE "C" NOT NULL CHECK (length(name) <= 512),
    slot bigint NOT NULL,
    taken integer NOT NULL CHECK (taken >= 0),
    granted integer NOT NULL CHECK (granted >= 0),
    PRIMARY KEY (tenant, class, kind, name)
) WITH (fillfactor = 50);
"""

# A source's tenant is not known before the source is found; one that nobody registered is counted for nobody.
# The tenant's row is claimed last, so that claims of one class wait for each other in one order.
_TAKE = """
CREATE FUNCTION take_rates(owner text, of_class text, claims jsonb, window_s integer, at timestamptz)
RETURNS TABLE (got integer, used integer, of_slot bigint, left_s float8) LANGUAGE plpgsql AS $$
DECLARE
    moment float8 := extract(epoch FROM coalesce(at, clock_timestamp()));
    claim jsonb;
    most integer;
    want integer;
BEGIN
    IF owner IS NULL THEN
        SELECT o.tenant INTO owner FROM owner_of_source(claims -> 0 ->> 'name') o;
        IF owner IS NULL THEN
            RETURN;
        END IF;
    END IF;
    PERFORM set_config('carapulse.tenant', owner, true);
    FOR claim IN SELECT value FROM jsonb_array_elements(claims) LOOP
        most := (claim ->> 'most')::integer;
        want := least((claim ->> 'wanted')::integer, most);
        RETURN QUERY
        INSERT INTO rates AS r (tenant, class, kind, name, slot, taken, granted)
        VALUES (owner, of_class, claim ->> 'kind', claim ->> 'name', floor(moment / window_s), want, want)
        ON CONFLICT (tenant, class, kind, name) DO UPDATE SET
            slot = CASE WHEN r.slot BETWEEN excluded.slot AND excluded.slot + 1 THEN r.slot ELSE excluded.slot END,
            granted = CASE WHEN r.slot BETWEEN excluded.slot AND excluded.slot + 1
                THEN greatest(0, least(want, most - r.taken)) ELSE want END,
            taken = CASE WHEN r.slot BETWEEN excluded.slot AND excluded.slot + 1
                THEN r.taken + greatest(0, least(want, most - r.taken)) ELSE want END
        RETURNING r.granted, r.taken, r.slot, (r.slot + 1) * window_s - moment;
    END LOOP;
END
$$
"""
_DROP = """
CREATE FUNCTION drop_idle_rates() RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    gone bigint;
BEGIN
    DELETE FROM rates WHERE (tenant, class, kind, name) IN (
        SELECT r.tenant, r.class, r.kind, r.name FROM rates r
        WHERE r.slot < floor(extract(epoch FROM clock_timestamp()) / 60) - 10 LIMIT 10000 FOR UPDATE SKIP LOCKED
    );
    GET DIAGNOSTICS gone = ROW_COUNT;
    RETURN gone;
END
$$
"""


def upgrade() -> None:
    """Make the table, and the two functions that write it."""
    op.execute(_TABLE)
    wall("rates", "SELECT, INSERT, UPDATE")
    open_to_owner("rates")
    op.execute(_TAKE)
    op.execute(_DROP)
    callable_by_app("drop_idle_rates()")
