"""Below the API: whoever speaks as the program itself, within one tenant, can't reach another by any statement.

The tables, keys, functions and sequences are those that the database names; nothing that is made later is left out.
"""

import io

import pytest
from tests.world.below import Walls, fill
from tests.world.site import a_site

from carapulse.adapters.embedded.database import APP, OWNER

REFUSED = "42501"
TAKEN = "23505"
NO_TENANT = ""
WITHOUT_TENANT = {
    "messages": "an id of the program's own making",
    "chat_workspaces": "an id of the program's own making: a chat names it before its tenant is known",
    "sources": "an id of the program's own making: a webhook names it before its tenant is known",
    "run_leases": "an id of the program's own making",
    "events": "a number of a sequence",
    "step_lines": "an execution's id, of the program's own making, and a number",
    "live_connections": "an id of the gateway's own making",
    "api_keys": "random: a bearer names it before its tenant is known",
}
"""Tables with a unique key that holds across tenants, and why nobody learns from it what another tenant chose."""

OVER_ALL_TENANTS = {
    "archivable_events": "says which stretch of the log is old, and whose events are in it; they are read under walls",
    "collectors_due": "says which are due, for a clock that then acts within their tenant",
    "connection_tenant": "tells whose a connection is to whoever knows its id, which the gateway says",
    "connections_in_all": "says how many",
    "connections_to_tell": "gives the one who tells clients what each may hear, which it reads within their tenants",
    "covered_events_stay": "a trigger",
    "drop_channel_deliveries": "lets old ones go, and says how many",
    "drop_dead_letters": "lets old ones go, and says how many",
    "drop_events": "lets a stretch go that every tenant's archive covers",
    "drop_idempotency_keys": "lets old ones go",
    "drop_idle_rates": "lets old ones go",
    "drop_old_chat": "lets go what is over",
    "drop_old_steps": "lets old ones go",
    "executions_to_look_after": "says which are due, for a worker that then acts within their tenant",
    "find_api_key": "tells of one key to whoever knows its random prefix",
    "hold_pusher": "takes a turn, and reads no tenant's row",
    "kept_by_key": "counts whose rows in which place were made by which sealing key, and shows nothing of a row",
    "leave_pusher": "ends a turn, and reads no tenant's row",
    "leaves_are_of_events": "a trigger",
    "machines_to_look_after": "says which machines may be lost, for a worker that then acts within their tenant",
    "make_partitions": "makes tables, and reads no row",
    "messages_to_publish": "gives a publisher references to what is due; nothing of what is to be done is in them",
    "next_message_due": "says when, and nothing of what",
    "owner_of_source": "tells whose a source is to whoever knows its random id",
    "owner_of_workspace": "tells whose a workspace is to whoever knows its random id",
    "pusher_wanted": "says whether somebody has the turn, and reads no tenant's row",
    "schedules_due": "says which have come due, for the clock, which then acts within their tenant",
    "settle_published": "notes what a broker took, by receipts that only whoever published them knows",
    "take_messages": "gives a worker what is due, which it then does within the message's tenant",
    "tenants_to_tell": "says whose log has grown beyond their channels, for a clock that then acts within that tenant",
    "ticket_of": "tells of one ticket to whoever knows it, which is 256 random bits",
    "uncovered_events": "tells numbers and hashes of events, for the next checkpoint",
}
"""Functions that look over the walls. A new one needs a reason here, and a tenant is never its argument."""

ESCAPES = [
    f"SET ROLE {OWNER}",
    "SET ROLE postgres",
    f"SET SESSION AUTHORIZATION {OWNER}",
    "SET session_replication_role = replica",
    "ALTER TABLE {table} DISABLE ROW LEVEL SECURITY",
    "ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY",
    "DROP POLICY {table}_tenant ON {table}",
    "CREATE POLICY all_of_it ON {table} USING (true)",
    f"ALTER TABLE {{table}} OWNER TO {APP}",
    "ALTER TABLE {table} ADD COLUMN seen text",
    "TRUNCATE {table} CASCADE",
    "DROP TABLE {table} CASCADE",
    "CREATE VIEW public.seen AS SELECT * FROM {table}",
    "CREATE TRIGGER seen BEFORE INSERT ON {table} FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger()",
    "CREATE RULE seen AS ON INSERT TO {table} DO INSTEAD NOTHING",
    "CREATE INDEX ON {table} (tenant)",
    "COPY {table} TO '/tmp/rows'",
    "COPY {table} TO PROGRAM 'cat'",
    "COPY {table} FROM '/etc/hostname'",
    "CREATE FUNCTION public.seen() RETURNS int LANGUAGE sql AS 'SELECT 1'",
    "SELECT * FROM pg_authid",
    "SELECT pg_read_file('PG_VERSION')",
    "SELECT * FROM pg_statistic",
    "SELECT lo_import('/etc/hostname')",
    "SELECT setval('events_position_seq', 1)",
]


@pytest.fixture(scope="module")
def walls(postgres, tmp_path_factory):
    with a_site(postgres, tmp_path_factory.mktemp("below")) as site:
        fill(site)
        walls = Walls(site.database)
        yield walls
        walls.app.close()


def wrong_in_every_table(walls, tenant, statements, is_right):
    """Return each statement about each table that did not end as it should within a tenant, and how it did."""
    wrong = {}
    with walls.within(tenant) as attempt:
        for table in walls.tables:
            for statement, given in statements(table):
                if not is_right(found := attempt(statement, **given)):
                    wrong[statement] = found
    return wrong


def test_every_table_has_a_row_that_could_be_reached(walls):
    assert len(walls.tables) > 30
    assert [table for table, row in walls.rows.items() if row is None] == []


@pytest.mark.parametrize("tenant", ["rival", NO_TENANT, "acme\t", "ACME", "%"])
def test_nobody_sees_a_row_of_acme_but_acme(walls, tenant):
    def looks(table):
        yield f"SELECT * FROM {table} WHERE tenant = 'acme'", {}
        yield f"SELECT * FROM {table} WHERE tenant <> :own", {"own": tenant}
        yield f"SELECT * FROM {table} FOR UPDATE", {}
        yield f"TABLE {table}", {}

    def is_right(found):
        return found[0] in {0, REFUSED}

    wrong = wrong_in_every_table(walls, tenant, looks, is_right)
    seen = wrong_in_every_table(walls, "acme", looks, is_right)

    assert wrong == {}
    assert {f"TABLE {table}" for table in walls.tables} <= seen.keys()


@pytest.mark.parametrize("tenant", ["rival", NO_TENANT])
def test_a_copy_of_a_table_holds_nothing_either(walls, tenant):
    copied = {}
    with walls.within(tenant):
        for table in walls.tables:
            walls.app.run(f"COPY {table} TO STDOUT", stream=(out := io.BytesIO()))
            copied[table] = out.getvalue()

    assert not [table for table, rows in copied.items() if rows]


@pytest.mark.parametrize("tenant", ["rival", NO_TENANT])
def test_nobody_changes_a_row_of_acme_but_acme(walls, tenant):
    def changes(table):
        for column in walls.columns[table]:
            yield f'UPDATE {table} SET "{column}" = "{column}"', {}
        yield f"UPDATE {table} SET tenant = :own", {"own": tenant}
        yield f"DELETE FROM {table}", {}

    def is_right(found):
        return found[0] in {0, REFUSED}

    assert wrong_in_every_table(walls, tenant, changes, is_right) == {}
    assert len(wrong_in_every_table(walls, "acme", changes, is_right)) > 50


@pytest.mark.parametrize("tenant", ["rival", NO_TENANT])
def test_nobody_puts_in_a_row_of_acme_but_acme(walls, tenant):
    def puts(table):
        statement, row = walls.insertion(table)
        yield statement, {"row": row}

    assert wrong_in_every_table(walls, tenant, puts, lambda found: found[0] == REFUSED) == {}


def test_a_name_that_acme_has_is_free_for_everybody_else(walls):
    """What is refused because it is taken would tell that acme has it."""
    told = {}
    with walls.within("rival") as attempt:
        for table in walls.tables:
            statement, row = walls.insertion(table, tenant="rival")
            code, constraint = attempt(statement, row=row)
            if code == TAKEN:
                told[table] = constraint

    assert told.keys() <= WITHOUT_TENANT.keys(), told


def test_every_key_but_those_of_random_ids_has_the_tenant_in_it(walls):
    keys = walls.looked_up("""
        SELECT indrelid::regclass::text FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid
        WHERE indisunique AND NOT relispartition AND indrelid IN (
            SELECT attrelid FROM pg_attribute WHERE attname = 'tenant')
        AND c.relnamespace = 'public'::regnamespace
        AND NOT EXISTS (SELECT FROM pg_attribute a
            WHERE a.attrelid = i.indrelid AND a.attnum = ANY (i.indkey) AND attname = 'tenant')""")

    assert sorted(table for (table,) in keys) == sorted(WITHOUT_TENANT)


def test_a_reference_leads_to_a_row_of_the_same_tenant(walls):
    """The database looks for what is referred to without walls; without the tenant it would tell what is there."""
    loose = walls.looked_up("""
        SELECT conname FROM pg_constraint c WHERE contype = 'f' AND conparentid = 0
        AND EXISTS (SELECT FROM pg_attribute WHERE attrelid = confrelid AND attname = 'tenant')
        AND NOT EXISTS (SELECT FROM unnest(conkey, confkey) AS k (own, other)
            JOIN pg_attribute a ON a.attrelid = conrelid AND a.attnum = k.own AND a.attname = 'tenant'
            JOIN pg_attribute b ON b.attrelid = confrelid AND b.attnum = k.other AND b.attname = 'tenant')""")

    assert loose == []


@pytest.mark.parametrize("escape", ESCAPES)
def test_there_is_no_way_around_the_walls(walls, escape):
    with walls.within("rival") as attempt:
        tables = walls.tables if "{table}" in escape else ["none"]
        found = {table: attempt(escape.format(table=table)) for table in tables}

    assert {code for code, _ in found.values()} == {REFUSED}, found


def test_whoever_switches_the_walls_off_sees_nothing_at_all(walls):
    with walls.within("rival") as attempt:
        walls.app.run("SET LOCAL row_security = off")
        found = {table: attempt(f"SELECT * FROM {table}")[0] for table in walls.tables}

    assert set(found.values()) == {REFUSED}


def test_what_the_planner_knows_of_rows_is_not_told(walls):
    with walls.database.as_superuser() as connection:
        connection.run("ANALYZE")
    query = "SELECT tablename FROM pg_stats WHERE schemaname = 'public' AND tablename = ANY (:tables)"

    with walls.within("rival"):
        told = walls.app.run(query, tables=walls.tables)

    assert told == []
    assert walls.looked_up(query, tables=walls.tables)


def test_there_is_nothing_that_shows_rows_as_somebody_else_sees_them(walls):
    kinds = "SELECT relname FROM pg_class WHERE relkind IN ('v', 'm', 'f') AND relnamespace = 'public'::regnamespace"
    rules = "SELECT rulename FROM pg_rules WHERE schemaname = 'public'"

    assert walls.looked_up(kinds) + walls.looked_up(rules) == []


def test_a_function_that_looks_over_the_walls_has_a_reason_and_takes_no_tenant(walls):
    found = walls.looked_up("""
        SELECT proname, coalesce(array_to_string(proargnames[:pronargs], ' '), '') FROM pg_proc
        WHERE prosecdef AND pronamespace = 'public'::regnamespace""")

    assert {name for name, _ in found} == OVER_ALL_TENANTS.keys()
    assert not [name for name, arguments in found if {"tenant", "owner"} & set(arguments.split())]


def test_a_function_that_takes_a_tenant_takes_no_other_than_the_one_of_the_transaction(walls):
    found = walls.looked_up("""
        SELECT proname, pronargs, array_to_string(ARRAY(SELECT format_type(t, NULL) FROM unnest(proargtypes) t), ',')
        FROM pg_proc WHERE proargnames[1] IN ('owner', 'tenant') AND pronamespace = 'public'::regnamespace""")
    assert {"read_run", "write_steps"} <= {name for name, *_ in found}

    ended = {}
    with walls.within("rival") as attempt:
        for name, _, kinds in found:
            _, *others = kinds.split(",")
            empty = ", ".join(f"CAST(NULL AS {kind})" for kind in others)
            ended[name] = attempt(f"SELECT {name}('acme'{', ' if others else ''}{empty})")[0]

    assert set(ended.values()) == {REFUSED}, ended
