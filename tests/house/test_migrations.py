"""Migrations: marked, in one line, and with a wall around every tenant table. Tried on the migrated database."""

import importlib
import re
from pathlib import Path

import pytest
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import MetaData, text

import carapulse.migrations
from carapulse.adapters.embedded.database import APP, OWNER
from carapulse.adapters.postgres.engine import connect

FOLDER = Path(carapulse.migrations.__file__).parent
VERSIONS = sorted((FOLDER / "versions").glob("*.py"))
AREAS = sorted(each.parent.name for each in FOLDER.parent.glob("*/tables.py"))
WALL = "(tenant = NULLIF(current_setting('carapulse.tenant'::text, true), ''::text))"
NEVER_CHANGED = [
    "approval_answers",
    "approval_delegations",
    "checkpoint_leaves",
    "checkpoints",
    "context_contents",
    "context_snapshots",
    "event_archives",
    "events",
    "knowledge_versions",
    "plan_versions",
]


@pytest.fixture
def template(postgres):
    """Ask the migrated database that every test's own is copied from."""
    engine = connect(postgres.url(OWNER, "carapulse_template"), pool_size=1)
    with engine.connect() as connection:
        yield connection
    engine.dispose()


def rows(connection, query, **parameters):
    return connection.execute(text(query), parameters).all()


def tables(connection):
    return {name for (name,) in rows(connection, "SELECT tablename FROM pg_tables WHERE schemaname = 'public'")}


def partitions(connection):
    return {name for (name,) in rows(connection, "SELECT relname FROM pg_class WHERE relispartition AND relkind = 'r'")}


def tenant_tables(connection):
    query = "SELECT table_name FROM information_schema.columns WHERE table_schema = 'public' AND column_name = 'tenant'"
    return {name for (name,) in rows(connection, query)} & tables(connection)


@pytest.mark.parametrize("path", VERSIONS, ids=lambda path: path.name)
def test_a_migration_says_what_it_does_and_of_which_kind_it_is(path):
    written = path.read_text()

    assert re.match(r'"""[^"]* Kind: (expand|contract)\.', written)
    assert f'revision = "{path.name.partition("_")[0]}"' in written


def test_migrations_are_one_line_from_first_to_last():
    config = Config()
    config.set_main_option("script_location", str(FOLDER))
    config.set_main_option("path_separator", "os")
    script = ScriptDirectory.from_config(config)

    line = [each.revision for each in script.walk_revisions()]

    assert len(script.get_heads()) == 1
    assert line == sorted((path.name.partition("_")[0] for path in VERSIONS), reverse=True)


def test_every_tenant_table_forces_row_level_security(template):
    query = "SELECT relname FROM pg_class WHERE relrowsecurity AND relforcerowsecurity"

    forced = {name for (name,) in rows(template, query)}

    assert tenant_tables(template)
    assert tenant_tables(template) <= forced


def test_every_tenant_table_shows_the_app_role_its_tenant_alone(template):
    query = "SELECT tablename, qual, with_check, cmd FROM pg_policies WHERE roles = ARRAY[CAST(:role AS name)]"

    policies = rows(template, query, role=APP)

    assert {each.tablename for each in policies} == tenant_tables(template)
    assert {(each.qual, each.with_check, each.cmd) for each in policies} == {(WALL, WALL, "ALL")}


def test_no_policy_is_for_everybody(template):
    query = "SELECT tablename FROM pg_policies WHERE NOT roles <@ ARRAY[CAST(:app AS name), CAST(:owner AS name)]"

    assert rows(template, query, app=APP, owner=OWNER) == []


@pytest.mark.parametrize("table", NEVER_CHANGED)
def test_the_app_role_can_only_add_to_what_never_changes(template, table):
    may = "SELECT verb FROM unnest(ARRAY['SELECT','INSERT','UPDATE','DELETE','TRUNCATE','REFERENCES','TRIGGER']) verb"

    granted = {
        verb
        for (verb,) in rows(template, f"{may} WHERE has_table_privilege(:role, :table, verb)", role=APP, table=table)
    }

    assert granted == {"SELECT", "INSERT"}
    assert not rows(template, "SELECT 1 WHERE has_any_column_privilege(:r, :t, 'UPDATE')", r=APP, t=table)


def test_the_app_role_owns_nothing_and_can_become_nobody(template):
    roles = "SELECT rolsuper, rolbypassrls, rolcreaterole, rolcreatedb FROM pg_roles WHERE rolname = :role"
    owned = "SELECT relname FROM pg_class c JOIN pg_roles r ON r.oid = c.relowner WHERE r.rolname = :role"
    member = "SELECT 1 FROM pg_auth_members m JOIN pg_roles r ON r.oid = m.member WHERE r.rolname = :role"

    assert rows(template, roles, role=APP) == [(False, False, False, False)]
    assert rows(template, owned, role=APP) == []
    assert rows(template, member, role=APP) == []


def test_nobody_can_truncate_and_the_app_role_can_make_no_tables(template):
    public = "SELECT has_schema_privilege(:role, 'public', 'CREATE')"
    truncate = (
        "SELECT relname FROM pg_class WHERE relkind IN ('r', 'p') AND has_table_privilege(:role, oid, 'TRUNCATE')"
    )

    assert rows(template, public, role=APP) == [(False,)]
    assert rows(template, truncate, role=APP) == []


def test_functions_that_see_every_tenant_are_for_the_app_role_alone_and_fix_their_search_path(template):
    query = """SELECT p.proname, p.proconfig, has_function_privilege('public', p.oid, 'EXECUTE') AS open
        FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace WHERE n.nspname = 'public' AND p.prosecdef"""

    found = rows(template, query)

    assert found
    assert {tuple(each.proconfig) for each in found} == {("search_path=pg_catalog, public, pg_temp",)}
    assert not [each.proname for each in found if each.open]


@pytest.mark.parametrize("area", AREAS)
def test_the_tables_in_the_code_are_those_of_the_database(template, area):
    metadata: MetaData = importlib.import_module(f"carapulse.{area}.tables").metadata

    for table in metadata.tables.values():
        kept = columns(template, table.name)
        assert {each.name: described(each, template.dialect) for each in table.columns}.items() <= kept.items(), (
            table.name
        )
        key = {each.name for each in table.primary_key}
        assert primary_key(template, table.name) == (key | parted_by(template, table.name) if key else set())


def columns(connection, table):
    """Return the type of each column of a table of the database, and whether it may be null."""
    query = """SELECT attname, upper(format_type(atttypid, atttypmod)), attnotnull FROM pg_attribute
        WHERE attrelid = CAST(:table AS regclass) AND attnum > 0 AND NOT attisdropped"""
    return {name: (kind, not never) for name, kind, never in rows(connection, query, table=table)}


def described(column, dialect):
    return column.type.compile(dialect), column.nullable


def primary_key(connection, table):
    query = """SELECT attname FROM pg_index JOIN pg_attribute ON attrelid = indrelid AND attnum = ANY (indkey)
        WHERE indisprimary AND indrelid = CAST(:table AS regclass)"""
    return {name for (name,) in rows(connection, query, table=table)}


def parted_by(connection, table):
    """Return the columns that a table's partitions divide; its primary key, if it has one, must name them too."""
    query = """SELECT attname FROM pg_partitioned_table JOIN pg_attribute ON attrelid = partrelid AND attnum = ANY (partattrs)
        WHERE partrelid = CAST(:table AS regclass)"""
    return {name for (name,) in rows(connection, query, table=table)}


def test_every_table_is_one_of_an_area_of_the_queue_or_of_the_checkpoints(template):
    known = {name for area in AREAS for name in importlib.import_module(f"carapulse.{area}.tables").metadata.tables}

    others = {"alembic_version", "messages", "checkpoints", "checkpoint_leaves", "partitions"}
    assert tables(template) - partitions(template) - known <= others


def test_a_partition_is_reached_through_its_parent_alone(template):
    verbs = "SELECT,INSERT,UPDATE,DELETE,TRUNCATE,REFERENCES,TRIGGER"

    open_ones = rows(
        template,
        "SELECT relname FROM pg_class WHERE relispartition AND relkind = 'r' AND has_table_privilege(:r, oid, :v)",
        r=APP,
        v=verbs,
    )

    assert {"events_0", "events_default", "step_lines_default"} <= partitions(template)
    assert open_ones == []
