"""How the mended driver talks to the server."""

import os
import socket
import threading
from contextlib import ExitStack, contextmanager
from urllib.parse import quote

import pytest
from pg8000.exceptions import DatabaseError
from sqlalchemy import text

from carapulse.adapters.postgres.door import Door
from carapulse.adapters.postgres.engine import bind_tenant, connect, look
from carapulse.kernel.errors import Unavailable

TENANT = text("SELECT current_setting(CAST(:name AS text), true)")


class Listening:
    """Stands between a client and the server, and counts how often the client has its turn."""

    def __init__(self, server):
        self.server, self.turns, self.is_clients_turn = server, 0, False

    def pass_on(self, source, target, *, is_client):
        with source, target:
            while said := source.recv(65536):
                self.turns += is_client and not self.is_clients_turn
                self.is_clients_turn = is_client
                target.sendall(said)

    def serve(self, listening):
        client, _ = listening.accept()
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as server:
            server.connect(self.server)
            back = threading.Thread(
                target=self.pass_on, args=(server.dup(), client.dup()), kwargs={"is_client": False}, daemon=True
            )
            back.start()
            self.pass_on(client, server, is_client=True)
            back.join()


@contextmanager
def overheard(database, folder):
    path = str(folder / "between")
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listening:
        listening.bind(path)
        listening.listen()
        between = Listening(str(database.server.socket))
        thread = threading.Thread(target=between.serve, args=(listening,), daemon=True)
        thread.start()
        engine = connect(
            database.app_url.partition("unix_sock=")[0] + "unix_sock=" + quote(path, safe="/"), pool_size=1
        )
        yield engine, between
        engine.dispose()
        thread.join(5)


@pytest.fixture
def engine(database):
    engine = connect(database.app_url, pool_size=1)
    yield engine
    engine.dispose()


def test_a_statement_is_asked_in_one_turn_and_the_first_of_a_transaction_begins_it(database, data_dir):
    with overheard(database, data_dir) as (engine, between), engine.connect() as connection:
        before = between.turns

        connection.execute(text("SELECT CAST(:one AS integer)"), {"one": 1}).all()
        began = between.turns - before
        connection.execute(text("SELECT CAST(:one AS integer)"), {"one": 1}).all()
        then = between.turns - before - began

    assert (began, then) == (1, 1)


def test_a_statement_that_fails_at_its_start_or_in_its_rows_leaves_the_connection_in_step(engine):
    with engine.connect() as connection:
        for wrong in ("SELEKT :one", "SELECT 1 / CAST(:one AS integer)", "SELECT CAST(:one AS date)"):
            with pytest.raises(Exception, match=r"syntax|zero|date"):
                connection.execute(text(wrong), {"one": "0"})
            connection.rollback()

        assert connection.execute(text("SELECT CAST(:one AS text)"), {"one": "after"}).scalar_one() == "after"


def test_a_value_that_cannot_be_spelled_leaves_the_connection_in_step(engine):
    with engine.connect() as connection:
        with pytest.raises(UnicodeEncodeError):
            connection.execute(text("SELECT CAST(:one AS text)"), {"one": "\ud800"})

        assert connection.execute(text("SELECT CAST(:one AS text)"), {"one": "after"}).scalar_one() == "after"


def tenant_seen(connection):
    return connection.execute(TENANT, {"name": "carapulse.tenant"}).scalar_one() or None


def test_what_binds_a_transaction_to_its_tenant_goes_with_its_first_statement(database, data_dir):
    with overheard(database, data_dir) as (engine, between), engine.connect() as connection:
        before = between.turns

        bind_tenant(connection, "acme'; --")
        seen = tenant_seen(connection)

        assert (seen, between.turns - before) == ("acme'; --", 1)


def test_a_transaction_that_has_begun_is_bound_from_then_on(engine):
    with engine.connect() as connection:
        before = tenant_seen(connection)
        bind_tenant(connection, "acme")

        assert (before, tenant_seen(connection)) == (None, "acme")


def test_a_tenant_is_bound_for_one_transaction_whether_or_not_it_asks_anything(engine):
    with engine.connect() as connection:
        bind_tenant(connection, "acme")
        tenant_seen(connection)
        connection.commit()
        afterwards = tenant_seen(connection)
    with engine.connect() as connection:
        bind_tenant(connection, "acme")
    with engine.connect() as connection:
        another = tenant_seen(connection)

    assert (afterwards, another) == (None, None)


@pytest.mark.parametrize("end", ["commit", "rollback"])
def test_a_transaction_that_ends_before_it_asks_anything_binds_no_other(engine, end):
    with engine.connect() as connection:
        bind_tenant(connection, "acme")
        getattr(connection.connection, end)()

        assert tenant_seen(connection) is None


def test_a_tenant_that_cannot_be_spelled_leaves_nobody_bound_and_the_connection_in_step(engine):
    with engine.connect() as connection:
        with pytest.raises(UnicodeEncodeError):
            bind_tenant(connection, "\ud800")
        connection.rollback()

        assert connection.execute(text("SELECT CAST(:one AS text)"), {"one": "after"}).scalar_one() == "after"
        assert tenant_seen(connection) is None


def test_a_tenant_that_cannot_be_bound_leaves_nobody_bound_and_the_connection_in_step(engine):
    with engine.connect() as connection:
        bind_tenant(connection, "a\0b")
        with pytest.raises(Exception, match="invalid byte sequence"):
            tenant_seen(connection)
        connection.rollback()

        assert tenant_seen(connection) is None


def test_a_connection_that_was_cut_while_it_rested_is_replaced_before_anybody_uses_it(engine, database):
    mine = text("SELECT pg_backend_pid()")
    with engine.connect() as connection:
        before = connection.execute(mine).scalar_one()
    with database.as_superuser() as other:
        other.run("SELECT pg_terminate_backend(:pid, 5000)", pid=before)

    with engine.connect() as connection:
        assert connection.execute(mine).scalar_one() != before


def test_a_process_with_thousands_of_open_files_still_sees_whether_a_connection_is_there(database):
    with ExitStack() as files:
        for _ in range(1100):
            files.enter_context(open(os.devnull))  # noqa: PTH123 - a number is all that is wanted of it
        engine = connect(database.app_url, pool_size=1)
        for _ in range(2):
            with engine.connect() as connection:
                assert tenant_seen(connection) is None
        engine.dispose()


def test_a_connection_that_has_just_been_used_is_not_asked_whether_it_is_there(database, data_dir):
    with overheard(database, data_dir) as (engine, between):
        with engine.connect() as connection:
            tenant_seen(connection)
        before = between.turns
        with engine.connect() as connection:
            tenant_seen(connection)

        assert between.turns - before == 2  # the statement, and the end of its transaction


NAMES: list[str] = ["a\nb", 'c"', "null", "NULL", "", "{d,e}", "f\\", '\\"', " ", "é"]
SEEN = "SELECT current_setting('carapulse.tenant', true), $1::text"


@pytest.mark.parametrize("pooled", [False, True])
def test_several_questions_are_answered_in_one_transaction_that_only_then_belongs_to_a_tenant(database, pooled):
    engine = connect(Door(lambda: database.app_url, pooled=pooled), pool_size=1)
    lists = ("SELECT x, NULL, txid_current() FROM unnest($1::text[]) x", (NAMES,))

    first, second, nothing = look(engine, "acme", [(SEEN, ("é",)), lists, ("SELECT 1 WHERE $1 = ''", ("x",))])
    (again,) = look(engine, "globex", [(SEEN, (None,))])

    assert (first, nothing, again) == ([["acme", "é"]], [], [["globex", None]])
    assert [row[:2] for row in second] == [[name, None] for name in NAMES]
    with engine.connect() as connection:
        assert tenant_seen(connection) is None
    engine.dispose()


def test_several_questions_take_one_turn(database, data_dir):
    with overheard(database, data_dir) as (engine, between):
        look(engine, "acme", [(SEEN, ("a",))])
        before = between.turns
        look(engine, "acme", [(SEEN, ("a",)), (SEEN, ("b",))])

        assert between.turns - before == 1


@pytest.mark.parametrize("pooled", [False, True])
@pytest.mark.parametrize("tenant", ["acme", "a\0b"])
def test_a_question_that_fails_leaves_the_connection_in_step_and_bound_to_nobody(database, pooled, tenant):
    engine = connect(Door(lambda: database.app_url, pooled=pooled), pool_size=1)
    for wrong in ("SELEKT $1", "SELECT 1 / $1::integer"):
        with pytest.raises(DatabaseError):
            look(engine, tenant, [(SEEN, ("a",)), (wrong, ("0",)), (SEEN, ("b",))])

        with engine.connect() as connection:
            assert tenant_seen(connection) is None
        assert look(engine, "globex", [(SEEN, ("after",))]) == [[["globex", "after"]]]
    engine.dispose()


def test_whoever_looks_when_the_database_has_hung_up_is_told_so_and_the_next_one_sees(engine, database):
    end = ("SELECT pg_terminate_backend(pg_backend_pid())", ())

    with pytest.raises(Unavailable):
        look(engine, "acme", [end])

    assert look(engine, "acme", [(SEEN, ("after",))]) == [[["acme", "after"]]]
