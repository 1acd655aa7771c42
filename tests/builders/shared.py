"""One application for the tests of a module, each of which has a tenant of its own: a database costs what many tests do."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from tests.builders.application import Application, Chosen, MovableClock
from tests.builders.caller import Caller
from tests.conftest import Database

from carapulse.adapters.embedded.database import OWNER
from carapulse.adapters.embedded.postgres import EmbeddedPostgres, over_socket
from carapulse.adapters.postgres.engine import connect
from carapulse.identity.issuer import DevelopmentIssuer
from carapulse.identity.refusals import RefusalLog
from carapulse.identity.tokens import TokenVerifier
from carapulse.kernel.clock import SystemClock


@dataclass(frozen=True)
class Settings(Chosen):
    """What an installation chose, and where it keeps its keys."""

    data_dir: Path = Path()


@dataclass(frozen=True)
class Served(Application):
    """The application, with what HTTP asks of it."""

    settings: Settings = field(default_factory=Settings)
    tokens: Any = None
    toolbox: Any = None

    @cached_property
    def refusals(self) -> RefusalLog:
        """What keeps refusals in the log."""
        return RefusalLog(self.begin, self.clock)

    def ready(self) -> dict[str, bool]:
        return {"database": True}


@contextmanager
def a_database(postgres: EmbeddedPostgres, name: str) -> Iterator[Database]:
    """Copy the migrated database under a name."""
    admin = over_socket(postgres.socket)
    admin.run(f"CREATE DATABASE {name} TEMPLATE carapulse_template OWNER {OWNER} STRATEGY file_copy")
    try:
        yield Database(postgres, name)
    finally:
        admin.run(f"DROP DATABASE {name} WITH (FORCE)")
        admin.close()


@contextmanager
def an_application(database: Database, folder: Path, policy: Any = None, toolbox: Any = None) -> Iterator[Served]:
    """Build the application; without a policy or a toolbox, for what asks none."""
    clock = SystemClock()
    issuer = DevelopmentIssuer.load_or_make(folder)
    engine = connect(database.app_url)
    yield Served(
        engine,
        policy,
        MovableClock(clock.now()),
        settings=Settings(data_dir=folder),
        tokens=TokenVerifier([issuer.issuer], clock),
        toolbox=toolbox,
    )
    engine.dispose()


class Tenant:
    """Asks in the name of anybody of one tenant, or of another where a test says so."""

    def __init__(self, caller: Caller, name: str) -> None:
        self._caller = caller
        self.name = name

    def __call__(self, method: str, path: str, body: Any = None, **rest: Any) -> Any:
        return self._caller(method, path, body, **{"tenant": self.name, **rest})
