"""Tests have databases in turn: nothing of one test is left for the next, neither rows nor what a test changed."""

import subprocess

import pytest
from tests.conftest import TEMPLATE, Turns
from tests.world.below import fill
from tests.world.site import a_site

from carapulse.adapters.embedded.database import APP
from carapulse.adapters.embedded.postgres import binary

CHANGES = [
    "CREATE TABLE left_behind (id int)",
    "CREATE FUNCTION left_behind() RETURNS int LANGUAGE sql AS 'SELECT 1'",
    "CREATE TYPE left_behind_too AS ENUM ('a')",
    "CREATE SCHEMA elsewhere",
    "ALTER TABLE plans NO FORCE ROW LEVEL SECURITY",
    "ALTER TABLE plans ALTER COLUMN tenant SET DEFAULT 'acme'",
    "ALTER SEQUENCE events_position_seq INCREMENT 2",
    "CREATE TRIGGER seen BEFORE UPDATE ON plans FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger()",
    f"GRANT TRUNCATE ON plans TO {APP}",
    f"ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO {APP}",
    "ALTER DATABASE {database} SET lock_timeout = '1s'",
    "ALTER DATABASE {database} CONNECTION LIMIT 7",
    "SELECT make_partitions_of('events', 5000000, 1000000, 2)",
    "UPDATE alembic_version SET version_num = '0001'",
    "SELECT lo_from_bytea(0, 'x')",
]


def dumped(postgres, name):
    """Return all that a database holds, definitions and rows and where its sequences stand, as a script."""
    folder = str(postgres.socket.parent)
    command = [str(binary("pg_dump")), "--host", folder, "--username", "postgres", "--restrict-key", "x", name]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def as_superuser(database, statement):
    with database.as_superuser() as connection:
        connection.run(statement)


@pytest.mark.slow
def test_an_emptied_database_is_what_a_new_one_is(postgres, tmp_path):
    new = dumped(postgres, TEMPLATE)
    with a_site(postgres, tmp_path) as site:
        fill(site)
        made = [site.database]
        turns = Turns(made.pop)
        filled = dumped(postgres, turns.next().name)

        turns.give_back(site.database)

        assert turns.next() is site.database
        assert dumped(postgres, site.database.name) == new != filled


def test_a_database_whose_definitions_were_changed_is_not_given_to_another_test(own_database):
    given_again = []
    for change in CHANGES:
        made = [own_database]
        turns = Turns(made.pop)
        turns.next()
        as_superuser(own_database, change.format(database=own_database.name))

        turns.give_back(own_database)

        if turns._free:  # noqa: SLF001 - there is nothing else to see of it
            given_again.append(change)

    assert given_again == []


def test_a_role_that_a_test_leaves_behind_is_its_failure(own_database):
    made = [own_database]
    turns = Turns(made.pop)
    turns.next()
    as_superuser(own_database, "CREATE ROLE left_behind")
    try:
        with pytest.raises(AssertionError, match="left roles behind"):
            turns.give_back(own_database)
    finally:
        as_superuser(own_database, "DROP ROLE left_behind")
