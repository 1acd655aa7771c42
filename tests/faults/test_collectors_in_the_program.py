"""The program as one process: it collects beside everything else, and its end in the middle of a run costs nothing."""

import threading
import time

import pytest
from tests.builders.tools import a_server
from tests.world.collecting import Dashboards, at_grafana
from tests.world.program import Program

TERMS = {"system": "grafana", "context": {"environment": "dev"}, "every_s": 3600}


@pytest.fixture
def boards():
    return Dashboards()


@pytest.fixture
def program(data_dir, boards):
    with a_server(boards) as grafana:
        running = Program(data_dir / "data", [at_grafana(grafana)])
        running.start()
        yield running
        if running.process.poll() is None:
            running.end()


def collected(program, seconds=30):
    until = time.monotonic() + seconds
    while (status := program.ask("GET", "/v1/collectors/boards").json()["status"])["state"] == "never":
        assert time.monotonic() < until, status
        time.sleep(0.1)
    return status


def test_a_run_that_the_end_of_the_program_cuts_short_is_made_by_the_next(program, boards):
    entered, leave = threading.Event(), threading.Event()

    def wait():
        entered.set()
        leave.wait(30)

    boards.meanwhile = wait
    put = program.ask("PUT", "/v1/collectors/boards", role="sre", json=TERMS, headers={"If-None-Match": "*"})
    asked = program.ask("POST", "/v1/collectors/boards:run")
    assert (put.status_code, asked.status_code) == (201, 202)
    assert entered.wait(20)

    code, seconds = program.end()
    leave.set()
    boards.meanwhile = None
    program.start()
    status = collected(program)

    assert code == 0
    assert seconds < 5
    assert (status["state"], status["nodes"], status["edges"]) == ("ok", 2, 1)
    reports = program.ask("GET", "/v1/context/snapshots").json()["data"]
    assert [each["taken_by"] for each in reports] == ["collector:boards"]
