"""The program is killed while it carries out a request with a key; the same request is sent again to the next one."""

import signal
import threading
import time

import httpx
import pytest
from tests.builders.keys import a_key
from tests.world.issuer import an_issuer
from tests.world.program import Program

PLAN = {
    "summary": "Look at nothing",
    "context": {"environment": "dev"},
    "steps": [{"stage": "diagnose", "tool": "http", "action": "probe", "input": {"url": "http://127.0.0.1:9/"}}],
}
_PAUSE = """
CREATE FUNCTION pause() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep(10); RETURN NEW; END $$;
CREATE TRIGGER pause BEFORE INSERT OR UPDATE ON {table} FOR EACH ROW {when} EXECUTE FUNCTION pause()
"""
_PAUSED = (
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE wait_event = 'PgSleep' AND pid <> pg_backend_pid()"
)
_LATER = "UPDATE idempotency_keys SET claimed_at = claimed_at - d, leased_until = leased_until - d FROM make_interval(secs => 61) d"


@pytest.fixture
def program(database, data_dir):
    nowhere = {"tool": "http", "name": "nowhere", "match": {"tenant": "acme"}, "may_reach": ["127.0.0.1:9"]}
    with an_issuer() as issuer:
        running = Program(data_dir / "data", [nowhere], issuer, CARAPULSE_DATABASE_URL=database.app_url)
        running.start()
        yield running
        running.end(signal.SIGKILL)


def killed(program, database, key, *, table, when=""):
    """Send a request, and kill the program where it writes to a table."""
    with database.as_superuser() as connection:
        connection.run(_PAUSE.format(table=table, when=when))
        cut = threading.Thread(target=sent_in_vain, args=(program, key))
        cut.start()
        while not connection.run(_PAUSED.replace("pg_terminate_backend(pid)", "pid")):
            assert cut.is_alive(), "the request was answered before it came there"
            time.sleep(0.02)
        program.end(signal.SIGKILL)
        connection.run(_PAUSED)
        cut.join()
        connection.run(f"DROP TRIGGER pause ON {table}")
    program.start()


def sent_in_vain(program, key):
    with pytest.raises(httpx.TransportError):
        send(program, key)


def send(program, key):
    return program.ask("POST", "/v1/plans", json=PLAN, key=key)


def plans(database):
    with database.as_superuser() as connection:
        return connection.run("SELECT count(*) FROM plans")[0][0]


def sent_again(program, database, key):
    """Send the request to the next program, at once and when the first must be thought dead."""
    at_once = send(program, key)
    with database.as_superuser() as connection:
        connection.run(_LATER)
    return at_once, send(program, key)


def test_a_request_that_was_killed_before_its_commit_is_carried_out_by_the_next_program(program, database):
    key = a_key()

    killed(program, database, key, table="plans")
    nothing = plans(database)
    at_once, later = sent_again(program, database, key)

    assert (nothing, at_once.status_code, at_once.json()["code"]) == (0, 409, "idempotency-key-in-use")
    assert (later.status_code, plans(database)) == (201, 1)
    assert send(program, key).content == later.content


def test_a_request_that_was_killed_between_its_commit_and_its_answer_is_not_carried_out_again(program, database):
    key = a_key()

    killed(program, database, key, table="idempotency_keys", when="WHEN (NEW.state = 'answered')")
    at_once, later = sent_again(program, database, key)

    assert at_once.json()["code"] == "idempotency-key-in-use"
    assert (later.status_code, later.json()["code"]) == (409, "idempotency-answer-lost")
    assert plans(database) == 1
