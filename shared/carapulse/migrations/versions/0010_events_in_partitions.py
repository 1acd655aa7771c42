"""Events in partitions of a million positions, with the indexes that are read. Kind: expand.

The table that is there becomes the first partition as it is: nothing is copied, so that a large log is no reason not to
migrate. Uniqueness of (tenant, stream, seq) across partitions is held by the stream's row in `streams`: every writer
takes its number there, under the row's lock, in the transaction that writes the event. Each partition has the unique
index too, so that two events of one number can only be told apart by a whole partition between them.

Dropped: `UNIQUE (id)`, by which nothing is read; and `(xact, position)`, `(tenant, position)`, `(tenant, type,
position)` and `(tenant, actor, position)` for indexes that also answer "from" and "to". `position` stays unique over
all partitions, because it is what they are parted by. A sequence's default instead of an identity: partitioned tables
have those since Postgres 17 only.

A leaf of a checkpoint outlives its event, which may be archived and dropped, so it can't have a foreign key. What
replaces it says more: a leaf can be added only for an event that is there with the very hash, and an event that has a
leaf can't be deleted or moved, by anybody. Only a whole partition can go, through a function that asks for an archive.
"""

from alembic import op

from carapulse.migrations.tenancy import app_role, note_partition, open_to_owner, reached, wall

revision = "0010"
down_revision = "0009"

_SIZE = 1_000_000  # positions in a partition
_READ = ("xact", "tenant, at, position", "tenant, type, at, position", "tenant, actor, at, position")

_SET_ASIDE = """
ALTER TABLE checkpoint_leaves DROP CONSTRAINT checkpoint_leaves_position_fkey;
ALTER TABLE events ALTER COLUMN position DROP IDENTITY;
ALTER TABLE events DROP CONSTRAINT events_id_key;
DROP INDEX events_xact, events_tenant_position, events_type, events_actor;
ALTER TABLE events RENAME TO events_0;
ALTER INDEX events_pkey RENAME TO events_0_pkey;
ALTER INDEX events_position_key RENAME TO events_0_position_key;
"""

_PARENT = """
CREATE TABLE events (LIKE events_0 INCLUDING DEFAULTS INCLUDING CONSTRAINTS, UNIQUE (position))
    PARTITION BY RANGE (position);
CREATE SEQUENCE events_position_seq OWNED BY events.position;
ALTER TABLE events ALTER COLUMN position SET DEFAULT nextval('events_position_seq');
CREATE TABLE partitions (
    name text PRIMARY KEY,
    parent text NOT NULL,
    low bigint NOT NULL,
    high bigint NOT NULL CHECK (high > low),
    UNIQUE (parent, low)
);
COMMENT ON TABLE partitions IS 'What each partition holds, from low to below high: positions, or weeks since 1970';
"""

# A partition is made beside its parent and then attached, which stops nobody who reads or writes. It gets its parent's
# policies and no grants: the app role reaches it through its parent alone.
_ADD = """
CREATE FUNCTION add_partition(parent text, child text, bounds text) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    rule record;
BEGIN
    EXECUTE format('CREATE TABLE public.%I (LIKE public.%I INCLUDING DEFAULTS INCLUDING CONSTRAINTS)', child, parent);
    EXECUTE format('ALTER TABLE public.%I ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY', child);
    FOR rule IN SELECT * FROM pg_policies WHERE schemaname = 'public' AND tablename = parent LOOP
        EXECUTE format('CREATE POLICY %I ON public.%I TO %s USING (%s) WITH CHECK (%s)', rule.policyname, child,
            (SELECT string_agg(quote_ident(role), ', ') FROM unnest(rule.roles) role), rule.qual, rule.with_check);
    END LOOP;
    IF parent = 'events' THEN
        EXECUTE format('CREATE UNIQUE INDEX %I ON public.%I (tenant, stream, seq)', child || '_seq', child);
        EXECUTE format('CREATE TRIGGER events_stay_whole BEFORE TRUNCATE ON public.%I'
            ' EXECUTE FUNCTION public.refuse_to_empty()', child);
    END IF;
    EXECUTE format('ALTER TABLE public.%I ATTACH PARTITION public.%I %s', parent, child, bounds);
END
$$
"""

_GUARDS = """
CREATE FUNCTION leaves_are_of_events() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF EXISTS (
        SELECT FROM added a
        WHERE NOT EXISTS (SELECT FROM events e WHERE e.position = a.position AND e.hash = a.hash)
    ) THEN
        RAISE foreign_key_violation USING MESSAGE = 'a leaf must be of an event that is there, with its hash';
    END IF;
    RETURN NULL;
END
$$;
CREATE TRIGGER leaves_are_of_events AFTER INSERT ON checkpoint_leaves
    REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION leaves_are_of_events();
CREATE TRIGGER leaves_stay_of_events AFTER UPDATE ON checkpoint_leaves
    REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION leaves_are_of_events();
CREATE FUNCTION covered_events_stay() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF EXISTS (SELECT FROM checkpoint_leaves l WHERE l.position = OLD.position) THEN
        RAISE foreign_key_violation USING MESSAGE = 'a checkpoint covers this event: it stays where it is';
    END IF;
    RETURN CASE TG_OP WHEN 'DELETE' THEN OLD ELSE NEW END;
END
$$;
CREATE FUNCTION refuse_to_empty() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    RAISE foreign_key_violation USING MESSAGE = 'checkpoints cover these events: they stay where they are';
END
$$;
CREATE TRIGGER covered_events_stay BEFORE DELETE OR UPDATE OF position ON events
    FOR EACH ROW EXECUTE FUNCTION covered_events_stay();
CREATE TRIGGER events_stay_whole BEFORE TRUNCATE ON events EXECUTE FUNCTION refuse_to_empty();
CREATE TRIGGER events_stay_whole BEFORE TRUNCATE ON events_0 EXECUTE FUNCTION refuse_to_empty();
REVOKE ALL ON FUNCTION leaves_are_of_events(), covered_events_stay(), refuse_to_empty(),
    add_partition(text, text, text) FROM PUBLIC;
"""


def upgrade() -> None:
    """Put a partitioned table above the one that is there, which keeps its rows, its walls and their key."""
    last = reached("events_position_seq")
    op.execute(_SET_ASIDE)
    op.execute(_PARENT)
    if last:
        op.execute(f"SELECT setval('events_position_seq', {last})")
    for columns in _READ:
        op.execute(f"CREATE INDEX ON events_0 ({columns})")
        op.execute(f"CREATE INDEX ON events ({columns})")
    wall("events", "SELECT, INSERT")
    open_to_owner("events")
    op.execute(f"REVOKE ALL ON events_0 FROM {app_role()}")
    op.execute(f"GRANT USAGE ON SEQUENCE events_position_seq TO {app_role()}")
    op.execute(_ADD)
    op.execute(_GUARDS)
    high = (last // _SIZE + 1) * _SIZE
    op.execute(f"ALTER TABLE events ATTACH PARTITION events_0 FOR VALUES FROM (0) TO ({high})")
    note_partition("events_0", "events", high)
    op.execute("SELECT add_partition('events', 'events_default', 'DEFAULT')")
