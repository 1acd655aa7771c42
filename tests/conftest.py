"""A real Postgres for every kind of test that needs one: one server a run, one copied database a test."""

from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pg8000.native
import pytest

from carapulse.adapters.embedded.database import APP, OWNER, prepare
from carapulse.adapters.embedded.postgres import EmbeddedPostgres
from carapulse.adapters.postgres.migrate import migrate

_TEMPLATE = "carapulse_template"
_numbers = count(1)


class Database:
    """One test's own database, and the addresses of both roles."""

    def __init__(self, server: EmbeddedPostgres, name: str) -> None:
        self.server = server
        self.app_url = server.url(APP, name)
        self.owner_url = server.url(OWNER, name)


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedPostgres]:
    """Start the server once, with a migrated database that tests copy."""
    server = EmbeddedPostgres.start(Path(tmp_path_factory.mktemp("pg")), durable=False)
    prepare(server, _TEMPLATE)
    migrate(server.url(OWNER, _TEMPLATE), APP)
    yield server
    server.stop()


@pytest.fixture
def database(postgres: EmbeddedPostgres) -> Iterator[Database]:
    """Give the test a database of its own."""
    name = f"test_{next(_numbers)}"
    admin = pg8000.native.Connection("postgres", unix_sock=str(postgres.socket))
    admin.run(f"CREATE DATABASE {name} TEMPLATE {_TEMPLATE} OWNER {OWNER}")
    yield Database(postgres, name)
    admin.run(f"DROP DATABASE {name} WITH (FORCE)")
    admin.close()
