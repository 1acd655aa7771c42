"""What the benches share: one durable Postgres, its own pace, and an application whose tools return at once."""

import re
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from tests.bench.processor import server_seconds
from tests.world.rig import Rig

from carapulse.adapters.embedded.database import APP, DATABASE, OWNER, prepare
from carapulse.adapters.embedded.postgres import EmbeddedPostgres, binary, over_socket
from carapulse.adapters.postgres.listener import Listener
from carapulse.adapters.postgres.migrate import migrate
from carapulse.bootstrap import App

_LOOK_S = 0.005


@dataclass(frozen=True)
class Bench:
    """One durable Postgres, an application on it, and pgbench beside it."""

    server: EmbeddedPostgres
    rig: Rig

    @property
    def app(self) -> App:
        """The application, with tools that return at once."""
        return self.rig.app

    @contextmanager
    def working(self, count: int) -> Iterator[None]:
        """Run so many workers, woken as in the real program."""
        workers = self.rig.new_workers(count)
        listener = Listener(self.server.url(APP, DATABASE), workers.nudge)
        workers.start()
        listener.start()
        try:
            yield
        finally:
            listener.stop()
            workers.stop(10)

    def commits_per_second(self, clients: int, seconds: int = 3) -> float:
        """Return what pgbench's simple-update commits per second on this server, just as durable."""
        where = ["-h", str(self.server.socket.parent), "-U", "postgres", "pgbench"]
        said = _run([str(binary("pgbench")), "-N", "-n", "-c", str(clients), "-T", str(seconds), *where])
        found = re.search(r"tps = ([0-9.]+) \(without", said)
        assert found, said
        return float(found.group(1))

    def prepare(self) -> None:
        """Make pgbench's tables, and a database for the engine that is measured beside ours."""
        where = ["-h", str(self.server.socket.parent), "-U", "postgres"]
        for name in ("pgbench", "dbos"):
            _run([str(binary("psql")), *where, "-c", f"CREATE DATABASE {name}"])
        _run([str(binary("pgbench")), "-i", "-q", "-s", "10", *where, "pgbench"])

    @contextmanager
    def looking(self, database: str = DATABASE) -> Iterator["Look"]:
        """Look at a database as somebody whom no wall stops."""
        connection = over_socket(self.server.socket, database)
        try:
            yield Look(connection)
        finally:
            connection.close()

    def used(self) -> float:
        """Return the seconds of the processor that the database's server has used."""
        return server_seconds(self.server.process.pid)


def make_database(server: EmbeddedPostgres, name: str = DATABASE) -> str:
    """Make and migrate a database, and return its address for the application."""
    prepare(server, name)
    migrate(server.url(OWNER, name), APP)
    return server.url(APP, name)


@dataclass(frozen=True)
class Look:
    """A look at a database from outside: cheap enough to be repeated while others are measured."""

    connection: Any

    def wait_until_over(self) -> None:
        """Wait until no execution is under way."""
        under_way = self.connection.prepare("SELECT count(*) FROM executions WHERE finished_at IS NULL")
        while under_way.run() != [[0]]:
            time.sleep(_LOOK_S)
        under_way.close()


def timed(function: Callable[[], Any]) -> float:
    """Return how many seconds a call takes."""
    began = time.perf_counter()
    function()
    return time.perf_counter() - began


def _run(command: list[str]) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout
