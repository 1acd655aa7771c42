"""A database that goes away is told as such and holds nothing back, and no role steps over its walls."""

import pytest
from sqlalchemy import event, text
from tests.builders.log import StepFinished
from tests.world.rig import a_call

from carapulse.adapters.postgres.engine import connect, look, refuse_strong_role
from carapulse.adapters.postgres.work import PostgresWork
from carapulse.kernel.clock import SystemClock
from carapulse.kernel.errors import Invalid, Unavailable


@pytest.fixture
def engine(database):
    engine = connect(database.app_url)
    yield engine
    engine.dispose()


def begin(engine):
    return PostgresWork(engine, a_call(), SystemClock())


def cut(database, work):
    """End the server's side of a transaction."""
    pid = work.connection.execute(text("SELECT pg_backend_pid()")).scalar_one()
    with database.as_superuser() as connection:
        connection.run("SELECT pg_terminate_backend(:pid, 2000)", pid=pid)


def test_a_connection_that_is_lost_before_the_commit_is_an_unavailable_database(database, engine):
    def write_nothing():
        with begin(engine) as work:
            cut(database, work)

    with pytest.raises(Unavailable):
        write_nothing()

    assert engine.pool.checkedout() == 0


def test_a_connection_that_is_lost_before_a_statement_is_an_unavailable_database(database, engine):
    def ask():
        with begin(engine) as work:
            cut(database, work)
            work.connection.execute(text("SELECT 1"))

    with pytest.raises(Unavailable):
        ask()

    assert engine.pool.checkedout() == 0


def test_an_error_of_ours_survives_a_connection_that_is_lost_meanwhile(database, engine):
    def fail():
        with begin(engine) as work:
            cut(database, work)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()

    assert engine.pool.checkedout() == 0


def test_after_a_lost_connection_the_next_unit_of_work_has_a_new_one(database, engine):
    def write_nothing():
        with begin(engine) as work:
            cut(database, work)

    with pytest.raises(Unavailable):
        write_nothing()

    with begin(engine) as work:
        assert work.connection.execute(text("SELECT 1")).scalar_one() == 1


@pytest.mark.parametrize("ask", [lambda engine: begin(engine).__enter__(), lambda engine: look(engine, "acme", [])])
def test_a_database_that_hangs_up_on_whoever_comes_is_an_unavailable_one(database, engine, ask):
    @event.listens_for(engine, "connect")
    def hang_up(connection, _record):
        cursor = connection.cursor()
        cursor.execute("SELECT pg_backend_pid()")
        (pid,) = cursor.fetchone()
        connection.commit()
        with database.as_superuser() as other:
            other.run("SELECT pg_terminate_backend(:pid, 2000)", pid=pid)

    with pytest.raises(Unavailable):
        ask(engine)

    assert engine.pool.checkedout() == 0


def test_a_transaction_that_was_ended_for_idling_is_an_unavailable_database(database, engine):
    def idle():
        with begin(engine) as work:
            work.connection.execute(text("SET LOCAL idle_in_transaction_session_timeout = '50ms'"))
            pid = work.connection.execute(text("SELECT pg_backend_pid()")).scalar_one()
            with database.as_superuser() as connection:
                while connection.run("SELECT 1 FROM pg_stat_activity WHERE pid = :pid", pid=pid):
                    pass
            work.connection.execute(text("SELECT 1"))

    with pytest.raises(Unavailable):
        idle()


def test_a_table_of_the_callers_own_gets_no_power_from_the_functions_that_see_every_tenant(database, engine):
    with begin(engine) as work:
        work.record("lamp_1", StepFinished(step=1))
    with engine.begin() as connection:
        connection.execute(text("CREATE TEMP TABLE messages (LIKE public.messages INCLUDING ALL)"))
        connection.execute(
            text(
                "INSERT INTO pg_temp.messages (id, tenant, queue, type, body, actor, trace, available_at)"
                " VALUES ('m', 'acme', 'lamps', 'x', '{}', '{}', '', now())"
            )
        )
        connection.execute(
            text(
                "CREATE FUNCTION pg_temp.rewrite() RETURNS trigger LANGUAGE plpgsql AS"
                " $$ BEGIN UPDATE public.events SET actor = 'mallory'; RETURN NEW; END $$"
            )
        )
        connection.execute(
            text("CREATE TRIGGER t BEFORE UPDATE ON pg_temp.messages FOR EACH ROW EXECUTE FUNCTION pg_temp.rewrite()")
        )
        connection.execute(text("GRANT ALL ON pg_temp.messages TO PUBLIC"))
        connection.execute(text("SELECT * FROM take_messages('{lamps}', 1, interval '1 second')")).all()

    with begin(engine) as work:
        assert work.connection.execute(text("SELECT actor FROM events")).scalars().all() == ["ada"]


def test_a_role_that_may_become_the_owner_is_refused(database):
    with database.as_superuser() as connection:
        connection.run("CREATE ROLE too_close LOGIN IN ROLE carapulse_owner")
    engine = connect(database.server.url("too_close", database.name))
    try:
        with pytest.raises(Invalid):
            refuse_strong_role(engine)
    finally:
        engine.dispose()
        with database.as_superuser() as connection:
            connection.run("DROP ROLE too_close")
