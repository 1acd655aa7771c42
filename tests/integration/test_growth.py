"""A database with many rows is asked by index alone, and few pages of it are touched. `make growth` measures times."""

import re
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import pytest
from sqlalchemy import event, text
from tests.builders.asked import TENANT, questions
from tests.builders.generated import fill
from tests.builders.growing import App, MovedClock
from tests.conftest import Database, a_folder

from carapulse.adapters.embedded.database import APP, prepare
from carapulse.adapters.embedded.postgres import over_socket
from carapulse.adapters.files.blobs import FileBlobs
from carapulse.adapters.postgres.engine import bind_tenant, connect
from carapulse.adapters.postgres.migrate import migrate
from carapulse.audit.note import Signer

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]
EVENTS = 100_000
FEW = 100  # pages of 8 kB, for everything that one question asks; the log alone has 5,000
MORE = {"… of one type by one actor": 400}  # the events of the actor are looked through for the type
GROWING = re.compile(r"^(events|messages|executions|step_|checkpoint_leaves|streams)")
STEPS = {
    "output of a step": "SELECT output FROM step_outputs WHERE tenant = :tenant AND execution_id = :id"
    " AND step_id = 'step_1' AND phase = 'run' AND fence = 1",
    "lines of an execution": "SELECT * FROM step_lines WHERE tenant = :tenant AND execution_id = :id AND n > 0"
    " ORDER BY n LIMIT 500",
}


@pytest.fixture(scope="module")
def app(postgres):
    database = Database(postgres, "grown")
    prepare(postgres, database.name)
    migrate(database.owner_url, APP)
    fill(database, EVENTS)
    engine = connect(database.app_url)
    with a_folder() as folder:
        yield App(engine, MovedClock(), Signer.new("carapulse.dev/log/test"), FileBlobs(folder))
    engine.dispose()
    admin = over_socket(postgres.socket)
    admin.run(f"DROP DATABASE {database.name} WITH (FORCE)")
    admin.close()


@dataclass
class Asked:
    """Everything that one question asked of the database, and how the database went about it."""

    pages: int = 0
    scanned: set[str] = field(default_factory=set)

    def note(self, plan: dict[str, Any]) -> None:
        """Note each table that was read from its beginning to its end, unless there was nothing in it."""
        if plan["Node Type"] == "Seq Scan" and plan["Shared Hit Blocks"] + plan["Shared Read Blocks"] > 0:
            self.scanned.add(plan["Relation Name"])
        for each in plan.get("Plans", ()):
            self.note(each)


def scans(connection):
    query = "SELECT relname, seq_scan FROM pg_stat_xact_user_tables WHERE pg_relation_size(relid) > 0"
    return Counter(dict(connection.execute(text(query)).all()))


def explain(connection, asked, statement, parameters):
    """Run a statement and take it back, noting what it read: inside functions too."""
    before = scans(connection)
    (plan,) = connection.exec_driver_sql(
        f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {statement}", parameters
    ).scalar_one()
    asked.pages += plan["Plan"]["Shared Hit Blocks"] + plan["Plan"]["Shared Read Blocks"]
    asked.note(plan["Plan"])
    asked.scanned |= set(scans(connection) - before)


def statements_of(app, question):
    """Answer a question, and return what was sent to the database for it."""
    sent: list[tuple[str, Any]] = []

    @event.listens_for(app.engine, "before_cursor_execute")
    def note(_connection, _cursor, statement, parameters, _context, many):
        sent.extend((statement, each) for each in (parameters if many else [parameters]))

    question(app)
    event.remove(app.engine, "before_cursor_execute", note)
    return [(statement, again(statement, values)) for statement, values in sent if "set_config" not in statement]


def again(statement, values):
    """Return values with which an event can be inserted once more: into a stream that there is not yet."""
    is_new = statement.startswith("INSERT INTO events")
    return tuple(f"{each}_again" if is_new and str(each).startswith("plan_new") else each for each in values)


def ask(app, statements):
    asked = Asked()
    for statement, parameters in statements:
        if statement.startswith(("SELECT", "INSERT", "UPDATE", "DELETE")) and "pg_sleep" not in statement:
            with app.engine.connect() as connection:
                bind_tenant(connection, TENANT)
                explain(connection, asked, statement, parameters)
    return asked


def big(scanned):
    """Return the tables that grow among those that were read from their beginning to their end."""
    return {name for name in scanned if GROWING.match(name)}


@pytest.mark.parametrize("name", list(questions()))
def test_what_is_asked_of_a_grown_database_is_found_by_index(app, name):
    question = questions()[name](app)
    statements = statements_of(app, question)
    if name in {"make a checkpoint", "evidence of one plan", "take a message"}:
        statements = [each for each in statements if each[0].startswith("SELECT")]
        questions()[name](app)

    asked = ask(app, statements)

    assert statements
    assert big(asked.scanned) == set()
    assert asked.pages < MORE.get(name, FEW)


@pytest.mark.parametrize("name", list(STEPS))
def test_what_steps_said_is_found_by_index_in_one_partition(app, name):
    with app.engine.connect() as connection:
        bind_tenant(connection, TENANT)
        found = connection.execute(text("SELECT id FROM executions LIMIT 1")).scalar_one()
        statement = STEPS[name].replace(":tenant", "%s").replace(":id", "%s")
        asked = Asked()
        explain(connection, asked, statement, (TENANT, found))

    assert big(asked.scanned) == set()
    assert 0 < asked.pages < 20


def test_a_table_that_is_read_from_end_to_end_would_be_noticed(app):
    with app.engine.connect() as connection:
        bind_tenant(connection, TENANT)
        connection.execute(text("SET LOCAL enable_indexscan = off"))
        connection.execute(text("SET LOCAL enable_bitmapscan = off"))
        asked = Asked()
        explain(connection, asked, "SELECT count(*) FROM events WHERE trace = 'x'", ())

    assert "events_0" in big(asked.scanned)
    assert asked.pages > FEW
