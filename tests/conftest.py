"""A real Postgres for every kind of test that needs one: one server a run, one copied database a test."""

import os
import shutil
import tempfile
from collections.abc import Generator, Iterator
from contextlib import contextmanager
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
_TEMPLATE = "carapulse_template"
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
        prepare(server, _TEMPLATE)
        migrate(server.url(OWNER, _TEMPLATE), APP)
        yield server
        server.stop()


@pytest.fixture
def database(postgres: EmbeddedPostgres) -> Iterator[Database]:
    """Give the test a database of its own."""
    with a_database(postgres) as own:
        yield own


@contextmanager
def a_database(postgres: EmbeddedPostgres) -> Iterator[Database]:
    """Copy the migrated database, for as long as it is needed."""
    name = f"test_{next(_numbers)}"
    admin = over_socket(postgres.socket)
    admin.run(f"CREATE DATABASE {name} TEMPLATE {_TEMPLATE} OWNER {OWNER} STRATEGY file_copy")
    try:
        yield Database(postgres, name)
    finally:
        admin.run(f"DROP DATABASE {name} WITH (FORCE)")
        admin.close()


@pytest.fixture(scope="module")
def module_database(postgres: EmbeddedPostgres) -> Iterator[Database]:
    """Give all tests of a module one database, for those that don't mind what the others left."""
    with a_database(postgres) as copied:
        yield copied
