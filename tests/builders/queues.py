"""The queue of a test that has a pool of connections already, and needs no others."""

from typing import Any

from sqlalchemy import Engine, text

from carapulse.adapters.postgres.direct import Direct
from carapulse.adapters.postgres.engine import translated
from carapulse.adapters.postgres.queue import PostgresQueue


class _ThroughEngine(Direct):
    """Runs each statement as a transaction of its own, on a connection of the pool."""

    def __init__(self, engine: Engine) -> None:
        super().__init__("postgresql://nobody")
        self.engine = engine

    def run(self, statement: str, **parameters: object) -> list[list[Any]]:
        """Run one statement and return its rows."""
        with translated(), self.engine.begin() as connection:
            return [list(row) for row in connection.execute(text(statement), parameters)]


def a_queue(engine: Engine) -> PostgresQueue:
    """Return the receiving side of the queue."""
    return PostgresQueue(engine, _ThroughEngine(engine))
