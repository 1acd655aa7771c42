"""Behind PgBouncer in transaction mode: many functions at once, few sessions, and nothing that one leaves to another.

Each invocation is an environment of its own, as on Lambda: it begins without a connection and ends with its own.
"""

import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import replace

import pytest
from pg8000.exceptions import DatabaseError
from sqlalchemy import text
from tests.builders.clients import a_client
from tests.conftest import a_database, a_folder
from tests.world.issuer import an_issuers_file
from tests.world.pgbouncer import a_bouncer
from tests.world.rig import Rig, a_call, act, check
from tests.world.server import a_world

from carapulse.adapters.postgres.direct import Direct
from carapulse.adapters.postgres.door import Door
from carapulse.adapters.postgres.engine import connect, translated
from carapulse.executions.consumers import go_on
from carapulse.executions.messages import AdvanceExecution
from carapulse.kernel.errors import Unavailable
from carapulse.runtime.local import running
from carapulse.sessions.model import SessionContent, SessionFilter
from carapulse.sessions.usecases import create_session, list_sessions
from carapulse.settings import Settings

A_PROVIDER = {
    "audience": "carapulse",
    "algorithms": ["RS256"],
    "tenants": {"fixed": "acme"},
    "roles": {"claim": "groups", "mapping": {"oncall": "sre"}},
}
MOST_CONNECTIONS, SESSIONS, INVOCATIONS, RUNS = 50, 20, 200, 20
PATIENCE_S = 30.0
OPEN = "SELECT count(*) FROM pg_stat_activity WHERE datname = :name AND usename = 'carapulse_app'"


@pytest.fixture(scope="module")
def database(postgres):
    with a_database(postgres) as own, own.as_superuser() as connection:
        connection.run(f"ALTER DATABASE {own.name} CONNECTION LIMIT {MOST_CONNECTIONS}")
        yield own


@pytest.fixture(scope="module")
def bouncer(database):
    with a_folder() as folder, a_bouncer(database.server, database.name, folder, SESSIONS) as made:
        yield made


@pytest.fixture(scope="module")
def door(bouncer):
    return Door(lambda: bouncer.url, pooled=True)


@pytest.fixture(scope="module")
def rig(bouncer):
    """Return the application as it is set up behind the pooler."""
    with a_folder() as folder, a_world() as world:
        made = Rig(bouncer.url, world, folder / "data", database_url=bouncer.url, database_pooled=True)
        yield made
        made.close()


@contextmanager
def an_environment(app, door):
    """Give a function an application whose connections are its own."""
    direct = Direct(door)
    one = replace(app, engine=connect(door, pool_size=1), direct=direct, counting=direct)
    try:
        yield one
    finally:
        one.close()


def of(number):
    return a_call(f"person-{number}", tenant="acme" if number % 2 else "umbrella")


def straight(number):
    return f"straight {number} of {of(number).tenant}"


def an_api_call(number, app):
    """Write something and read a page, and say whose it shows."""
    call = of(number)
    create_session(SessionContent(name=f"{number} of {call.tenant}"), call, app)
    page = list_sessions(SessionFilter(limit=50), call, app)
    return {each.name.split()[-1] for each in page.data} == {call.tenant}


def storm(work, most_attempts=1):
    """Do 200 things at the same moment, each as often as it is put off, and return how each went and what it took."""
    gate = threading.Barrier(INVOCATIONS)

    def one(number):
        gate.wait()
        began, attempt = time.monotonic(), 1
        while True:
            try:
                return work(number), attempt - 1, time.monotonic() - began
            except Unavailable as problem:
                if attempt == most_attempts:
                    return problem, attempt, time.monotonic() - began
                time.sleep(0.05 * 2 ** min(attempt, 5))
                attempt += 1

    with ThreadPoolExecutor(INVOCATIONS) as threads:
        outcomes = list(threads.map(one, range(INVOCATIONS)))
    took = sorted(seconds for *_, seconds in outcomes)
    figures = f"p50 {took[100]:.2f} s, p95 {took[190]:.2f} s, longest {took[-1]:.2f} s"
    print(f"{INVOCATIONS} at once: {figures}, put off {sum(again for _, again, _ in outcomes)} times")  # noqa: T201 - the figures say more than the verdict
    return [went for went, *_ in outcomes], took


def kept(database, prefix):
    with database.as_superuser() as connection:
        return Counter(name for (name,) in connection.run("SELECT name FROM sessions") if name.startswith(prefix))


def test_two_hundred_functions_at_once_share_twenty_sessions_and_none_fails(rig, door, database):
    runs = [rig.start(rig.plan(act("noop", f"lamp-{n}"), check(f"lamp-{n}", on=False))) for n in range(RUNS)]
    seen = []

    def work(number):
        with an_environment(rig.app, door) as app:
            if number >= RUNS:
                return an_api_call(number, app)
            go_on(AdvanceExecution(execution_id=runs[number]), a_call(), app)
            return app.journal.read(runs[number], a_call()).state.status == "succeeded"

    with database.as_superuser() as connection:
        went, took = storm(work)
        seen = connection.run(OPEN, name=database.name)[0][0]

    assert went == [True] * INVOCATIONS
    assert took[-1] < PATIENCE_S
    assert 0 < seen <= SESSIONS


def test_without_a_pooler_what_gets_no_connection_is_put_off_and_nothing_is_lost_or_done_twice(rig, database):
    without = Door(lambda: database.app_url)

    def work(number):
        with an_environment(rig.app, without) as app:
            create_session(SessionContent(name=straight(number)), of(number), app)
            time.sleep(0.2)  # what else the function does, with its connection in its hand
        return True

    went, _ = storm(work, most_attempts=30)

    assert went == [True] * INVOCATIONS
    assert kept(database, "straight") == Counter(straight(number) for number in range(INVOCATIONS))


def test_where_no_connection_is_left_that_is_what_is_said(database):
    with database.as_superuser() as connection:
        connection.run(f"ALTER DATABASE {database.name} CONNECTION LIMIT 0")
        try:
            for ask in (Direct(database.app_url).run, lambda said: said_by(connect(database.app_url), said)):
                with pytest.raises(Unavailable) as told:
                    ask("SELECT 1")
                assert told.value.facts["sqlstate"] == "53300"
        finally:
            connection.run(f"ALTER DATABASE {database.name} CONNECTION LIMIT {MOST_CONNECTIONS}")


def said_by(engine, statement):
    with translated(), engine.connect() as connection:
        return connection.execute(text(statement)).scalar_one()


@pytest.fixture
def one_session(database):
    """Return the door of a pooler that has one session for everybody."""
    with a_folder() as folder, a_bouncer(database.server, database.name, folder, 1) as made:
        yield Door(lambda: made.url, pooled=True)


def test_a_session_that_is_shared_keeps_neither_a_tenant_nor_a_setting(rig, one_session):
    with an_environment(rig.app, one_session) as first, an_environment(rig.app, one_session) as second:
        for number in range(6):
            assert an_api_call(number, (first, second)[number % 2])
            first.journal.direct.run("SELECT CAST(:one AS integer)", one=1)

            with closing(Direct(one_session)) as nobody:
                assert nobody.run("SELECT count(*) FROM sessions WHERE name <> :name", name="") == [[0]]

    plain = connect(Door(one_session.address))
    with plain.connect() as connection:
        left = [
            connection.execute(text(f"SHOW {name}")).scalar_one() for name in ("enable_seqscan", "carapulse.tenant")
        ]
    plain.dispose()
    assert left == ["on", ""]


def test_the_limits_of_time_hold_in_every_transaction(one_session):
    engine = connect(one_session, timeouts={"statement_timeout": "50ms"})
    with closing(Direct(one_session)) as direct:
        assert direct.run("SELECT current_setting(:name)", name="statement_timeout") == [["15s"]]

    for _ in range(2):
        with pytest.raises(Unavailable) as told:
            said_by(engine, "SELECT pg_sleep(5)")
        assert told.value.facts["sqlstate"] == "57014"
    engine.dispose()


def test_a_statement_of_its_own_that_fails_is_taken_back_and_leaves_the_connection_in_step(one_session):
    with closing(Direct(one_session)) as direct:
        for wrong in ("SELEKT :one", "SELECT 1 / CAST(:one AS integer)", "SELECT CAST(:one AS date)"):
            with pytest.raises(DatabaseError, match=r"syntax|zero|date"):
                direct.run(wrong, one="0")

            assert direct.run("SELECT CAST(:one AS text)", one="after") == [["after"]]


def test_a_statement_that_is_prepared_says_which_setting_is_missing(one_session):
    unaware = Door(one_session.address)
    with closing(Direct(unaware)) as first, closing(Direct(unaware)) as second:
        first.run("SELECT CAST(:one AS text)", one="1")
        with pytest.raises(Unavailable) as told:
            second.run("SELECT CAST(:one AS text)", one="1")

    assert "CARAPULSE_DATABASE_POOLED" in told.value.detail


def test_a_whole_change_runs_through_the_pooler(rig):
    state = rig.run(act("switch", "attic"), check("attic"), environment="prod")

    assert state.status == "succeeded"
    assert rig.world.counts["PUT attic"] == 1


def test_the_program_itself_starts_behind_the_pooler_and_listens_to_nobody(bouncer, tmp_path):
    issuers = an_issuers_file(tmp_path, {"issuer": "https://login.example", **A_PROVIDER})
    settings = Settings(
        data_dir=tmp_path,
        database_url=bouncer.url,
        database_pooled=True,
        issuers_file=issuers,
        host="127.0.0.1",
        port=0,
    )

    with running(settings) as program, a_client(program.url) as client:
        ready = client.get("/readyz").status_code
        threads = {each.name for each in threading.enumerate()}

    assert ready == 200
    assert "listener" not in threads
