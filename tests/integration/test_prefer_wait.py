"""Whoever begins or looks at a run may wait for its end in the same request."""

import threading
import time
from contextlib import contextmanager

import pytest
from tests.builders.caller import Caller
from tests.world.rig import act, check


@pytest.fixture
def ask(rig):
    return Caller(rig.app)


@contextmanager
def working(rig):
    """Work off the queue beside, as the program does."""
    is_over = threading.Event()

    def work():
        while not is_over.wait(0.1):
            rig.workers.run_until_idle()

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield
    finally:
        is_over.set()
        thread.join()


def test_a_run_is_begun_and_its_end_is_the_answer(rig, ask):
    plan = rig.plan(act("switch", "hall"), check("hall"))

    with working(rig):
        answer = ask("POST", f"/v1/plans/{plan.plan_id}:execute", {}, headers={"prefer": "wait=20"})

    assert (answer.status_code, answer.json()["status"]) == (202, "succeeded")
    assert answer.headers["location"] == f"/v1/executions/{answer.json()['execution_id']}"
    assert answer.headers["preference-applied"] == "wait=20"


def test_a_run_that_takes_longer_is_shown_as_it_is(rig, ask):
    execution = rig.start(rig.plan(act("switch", "hall"), check("hall")))

    answer = ask("GET", f"/v1/executions/{execution}", headers={"prefer": "wait=1"})

    assert (answer.status_code, answer.json()["status"]) == (200, "running")
    assert answer.headers["preference-applied"] == "wait=1"


def test_every_answer_that_something_is_accepted_says_where_to_look(rig, ask):
    execution = rig.start(rig.plan(act("switch", "hall"), check("hall")))

    for verb in ("pause", "resume", "cancel"):
        answer = ask("POST", f"/v1/executions/{execution}:{verb}", {})

        assert (answer.status_code, answer.headers["location"]) == (202, f"/v1/executions/{execution}")
        assert "preference-applied" not in answer.headers


def test_another_tenant_s_run_is_not_waited_for(rig, ask):
    execution = rig.start(rig.plan(act("switch", "hall"), check("hall")))
    began = time.monotonic()

    other = ask("GET", f"/v1/executions/{execution}", tenant="initech", headers={"prefer": "wait=20"})

    assert (other.status_code, time.monotonic() - began < 5) == (404, True)
