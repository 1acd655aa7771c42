"""What stands for the foreign key between leaves and events: neither can be wrong about the other."""

import pytest
from pg8000.exceptions import DatabaseError
from sqlalchemy import text
from sqlalchemy.exc import ProgrammingError
from tests.builders.log import App, a_call, write

from carapulse.adapters.postgres.engine import connect
from carapulse.audit.note import Signer
from carapulse.audit.usecases import make_checkpoint
from carapulse.kernel.clock import SystemClock


@pytest.fixture
def app(database):
    engine = connect(database.app_url)
    made = App(engine, SystemClock(), Signer.new("carapulse.dev/log/test"))
    write(made, count=2)
    make_checkpoint(a_call(), made)
    write(made, count=1)
    yield made
    engine.dispose()


@pytest.mark.parametrize(
    ("position", "hash_of_leaf"),
    [("999", "(SELECT hash FROM events WHERE position = 4)"), ("4", "'sha256:' || repeat('0', 64)")],
    ids=["no event", "another hash"],
)
def test_a_leaf_must_be_of_an_event_with_that_very_hash(app, position, hash_of_leaf):
    with pytest.raises(ProgrammingError, match="a leaf must be of an event"), app.begin(a_call()) as work:
        work.connection.execute(
            text(
                f"INSERT INTO checkpoint_leaves (position, checkpoint, leaf, hash) SELECT {position}, 1, 3, {hash_of_leaf}"
            )
        )


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM events WHERE position = 1",
        "DELETE FROM events_0 WHERE position = 1",
        "UPDATE events SET position = 900 WHERE position = 1",
        "TRUNCATE events",
        "TRUNCATE events_0",
        "TRUNCATE events_1",
        "UPDATE checkpoint_leaves SET position = 900 WHERE position = 1",
    ],
)
def test_nobody_takes_a_covered_event_away(app, database, statement):
    with database.as_superuser() as connection, pytest.raises(DatabaseError, match=r"stays? where|a leaf must be"):
        connection.run(statement)


def test_an_event_that_no_checkpoint_covers_is_not_held(app, database):
    with database.as_superuser() as connection:
        connection.run("DELETE FROM events WHERE position = 4")

        assert connection.run("SELECT count(*) FROM events") == [[3]]
