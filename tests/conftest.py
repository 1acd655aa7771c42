"""A real Postgres for every kind of test that needs one: one server a run, and databases that tests have in turn or alone."""

import gc
import os
import shutil
import tempfile
from collections.abc import Callable, Generator, Iterator
from contextlib import ExitStack, contextmanager
from itertools import count
from pathlib import Path

import pg8000.native
import pytest
from hypothesis import settings

from carapulse.adapters.embedded.database import APP, OWNER, prepare
from carapulse.adapters.embedded.postgres import EmbeddedPostgres, over_socket
from carapulse.adapters.postgres.migrate import migrate

# A run of the suite tries the same examples each time: what it found once it finds again. `make fuzz` looks further.
settings.register_profile("suite", derandomize=True, deadline=None)
settings.register_profile("campaign", deadline=None)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "suite"))
# A process of tests keeps hundreds of megabytes, most of them for good; to look through them as often as Python does by
# itself takes a tenth of the processor's time.
gc.set_threshold(20_000, 20, 20)
TEMPLATE = "carapulse_template"
_numbers = count(1)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Let a report travel between processes whatever was logged in the test: half a surrogate pair can't."""
    report = yield
    report.sections = [(name, said.encode(errors="backslashreplace").decode()) for name, said in report.sections]
    return report


class Database:
    """One test's own database, and the addresses of both roles."""

    def __init__(self, server: EmbeddedPostgres, name: str) -> None:
        self.server = server
        self.name = name
        self.app_url = server.url(APP, name)
        self.owner_url = server.url(OWNER, name)

    @contextmanager
    def as_superuser(self) -> Iterator[pg8000.native.Connection]:
        """Connect as somebody whom no wall stops, to look and to tamper."""
        connection = over_socket(self.server.socket, self.name)
        try:
            yield connection
        finally:
            connection.close()


_NOT_EMPTY = ("alembic_version", "partitions")  # a row of these is part of the definitions
_ROW_OF_MIGRATION = {"live_pusher": "INSERT INTO live_pusher VALUES (true, '', '-infinity', 0)"}
_TABLES = """
SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace
    AND relname <> ALL (CAST(:kept AS text[]))
"""
_CATALOGS = """
SELECT oid::regclass::text FROM pg_class WHERE relkind = 'r' AND relnamespace = 'pg_catalog'::regnamespace
    AND NOT relisshared AND relname <> ALL (CAST(:without AS text[]))
"""
_SAY_NOTHING_OF_THEIR_OWN = (
    *("pg_statistic", "pg_statistic_ext_data", "pg_depend", "pg_description", "pg_init_privs"),
    *("pg_operator", "pg_amop", "pg_amproc", "pg_collation", "pg_conversion"),
)
"""Catalogs that change with others, that change nothing, or that list what comes with Postgres; some are large."""
# What a definition is changed by gets a new row version; what only counts, as ANALYZE does, writes in place.
_NEWEST = "SELECT count(*), coalesce(max(xmin::text::bigint), 0) FROM {}"
_OWN = (
    "pg_database WHERE datname = current_database()",
    "pg_db_role_setting WHERE setdatabase = (SELECT oid FROM pg_database WHERE datname = current_database())",
)
_ROLES = """
SELECT array_agg(rolname::text ORDER BY 1), (SELECT count(*) FROM pg_auth_members),
    (SELECT count(*) FROM pg_db_role_setting WHERE setdatabase = 0) FROM pg_roles
"""
_SEQUENCES = "SELECT setval(oid::regclass, 1, false) FROM pg_class WHERE relkind = 'S'"


class Turns:
    """Databases that tests have in turn, emptied in between; one whose definitions a test changed is thrown away."""

    def __init__(self, make: Callable[[], Database]) -> None:
        self._make = make
        self._query = ""
        self._free: list[tuple[Database, list[object]]] = []
        self._definitions: dict[str, list[object]] = {}

    def next(self) -> Database:
        """Return an empty database that nobody has."""
        if self._free:
            one, self._definitions[one.name] = self._free.pop()
            return one
        one = self._make()
        with one.as_superuser() as connection:
            self._definitions[one.name] = self._read(connection)
        return one

    def give_back(self, one: Database) -> None:
        """Empty a database for the next test."""
        as_it_was = self._definitions.pop(one.name)
        with one.as_superuser() as connection:
            connection.run(
                "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
            found = self._read(connection)
            assert found[-1] == as_it_was[-1], "a test left roles behind, or settings of roles, for all tests after it"
            if found != as_it_was:
                return
            tables = [name for (name,) in connection.run(_TABLES, kept=list(_NOT_EMPTY))]
            looks = " UNION ALL ".join(f"SELECT '{name}' WHERE EXISTS (SELECT FROM {name})" for name in tables)
            filled = [name for (name,) in connection.run(looks)]
            connection.run("SET session_replication_role = replica")  # no reference and no trigger keeps anything
            for name in filled:
                connection.run(f"DELETE FROM {name}")
                if name in _ROW_OF_MIGRATION:
                    connection.run(_ROW_OF_MIGRATION[name])
            connection.run(_SEQUENCES)
            if filled:
                connection.run(f"VACUUM {', '.join(filled)}")
        self._free.append((one, as_it_was))

    def _read(self, connection: pg8000.native.Connection) -> list[object]:
        """Return what changes with any definition of a database, and last what roles the server has."""
        if not self._query:
            catalogs = [
                *_NOT_EMPTY,
                *sorted(name for (name,) in connection.run(_CATALOGS, without=list(_SAY_NOTHING_OF_THEIR_OWN))),
            ]
            self._query = " UNION ALL ".join(_NEWEST.format(each) for each in (*catalogs, *_OWN))
        return [*connection.run(self._query), connection.run(_ROLES)]


@contextmanager
def a_folder() -> Iterator[Path]:
    """Make a folder that a database's system user may walk to; every pytest run closes pytest's own to others."""
    folder = Path(tempfile.mkdtemp(prefix="carapulse-test-"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def data_dir() -> Iterator[Path]:
    """Give the test a data directory of its own."""
    with a_folder() as folder:
        yield folder


@pytest.fixture(scope="session")
def postgres() -> Iterator[EmbeddedPostgres]:
    """Start the server once, with a migrated database that tests copy."""
    with a_folder() as folder:
        server = EmbeddedPostgres.start(folder, durable=False)
        prepare(server, TEMPLATE)
        migrate(server.url(OWNER, TEMPLATE), APP)
        yield server
        server.stop()


@pytest.fixture
def own_database(postgres: EmbeddedPostgres) -> Iterator[Database]:
    """Give the test a database that nobody had before."""
    with a_database(postgres) as own:
        yield own


@pytest.fixture
def database(own_database: Database) -> Database:
    """Give the test a database of its own."""
    return own_database


@contextmanager
def a_database(postgres: EmbeddedPostgres) -> Iterator[Database]:
    """Copy the migrated database, for as long as it is needed."""
    name = f"test_{next(_numbers)}"
    admin = over_socket(postgres.socket)
    admin.run(f"CREATE DATABASE {name} TEMPLATE {TEMPLATE} OWNER {OWNER} STRATEGY file_copy")
    try:
        yield Database(postgres, name)
    finally:
        admin.run(f"DROP DATABASE {name} WITH (FORCE)")
        admin.close()


@pytest.fixture(scope="session")
def turns(postgres: EmbeddedPostgres) -> Iterator[Turns]:
    """Make databases that tests have in turn."""
    with ExitStack() as stack:
        yield Turns(lambda: stack.enter_context(a_database(postgres)))


@pytest.fixture
def database_in_turn(turns: Turns) -> Iterator[Database]:
    """Give the test a database in which nothing is left of the tests before it; a copy would take ten times as long."""
    one = turns.next()
    yield one
    turns.give_back(one)


@pytest.fixture(scope="module")
def module_database(postgres: EmbeddedPostgres) -> Iterator[Database]:
    """Give all tests of a module one database, for those that don't mind what the others left."""
    with a_database(postgres) as copied:
        yield copied
