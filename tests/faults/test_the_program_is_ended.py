"""The whole program, or its database, goes away in the middle of a run, and the run goes on after it is back."""

import os
import signal
import time

import pytest
from tests.world.issuer import an_issuer
from tests.world.program import Program

from carapulse.adapters.embedded.database import APP, DATABASE, OWNER, prepare
from carapulse.adapters.embedded.postgres import EmbeddedPostgres


def a_change(world, *, good="v2"):
    return {
        "summary": "Deploy v2",
        "context": {"environment": "dev"},
        "steps": [
            {
                "stage": "act",
                "tool": "git",
                "action": "commit_file",
                "input": {"repo": "deploy", "branch": "main", "path": "version", "content": "v2\n", "message": "to v2"},
            },
            {
                "stage": "verify",
                "tool": "http",
                "action": "probe",
                "input": {"url": f"{world.base_url}/lamps/hall"},
                "expect": [{"path": "status", "op": "eq", "value": 200}],
                "retry": {"attempts": 10, "backoff_s": 0.1, "max_backoff_s": 0.5},
            },
            {
                "stage": "verify",
                "tool": "git",
                "action": "read_file",
                "input": {"repo": "deploy", "branch": "main", "path": "version"},
                "expect": [{"path": "content", "op": "eq", "value": f"{good}\n"}],
                "retry": {"attempts": 1, "backoff_s": 0.1},
            },
        ],
    }


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_a_run_continues_after_the_program_was_ended(program, world, repository, number):
    world.delays = {"GET hall": 3.0}
    execution = program.execute(a_change(world))
    program.wait_for_step(execution, 1, "running")

    code, took = program.end(number)
    world.delays = {}
    program.start()
    state = program.wait(execution, "succeeded")

    assert state["left"] == []
    assert repository.commits == ["v1", "to v2"]
    if number is signal.SIGTERM:
        assert code == 0
        assert took < 5


def test_an_undo_continues_after_the_program_was_killed(program, world, repository):
    world.delays = {"GET hall": 2.0}
    execution = program.execute(a_change(world, good="v3"))
    program.wait_for_step(execution, 1, "running")

    program.end(signal.SIGKILL)
    world.delays = {}
    program.start()
    program.wait(execution, "rolled_back")

    assert repository.version == "v1"
    assert len(repository.commits) == 3


def test_the_embedded_database_dies_and_comes_back(program, world, repository):
    world.delays = {"GET hall": 1.5}
    execution = program.execute(a_change(world))
    program.wait_for_step(execution, 1, "running")

    os.kill(postmaster(program), signal.SIGKILL)
    world.delays = {}
    time.sleep(0.5)

    state = wait_patiently(program, execution)
    assert state["status"] == "succeeded"
    assert repository.commits == ["v1", "to v2"]


@pytest.fixture
def issuer():
    """Give programs with a database of their own somebody whose tokens they believe."""
    with an_issuer() as one:
        yield one


def test_an_outside_database_is_restarted_in_the_middle_of_a_run(data_dir, connections, world, repository, issuer):
    outside = data_dir / "outside"
    server = EmbeddedPostgres.start(outside)
    prepare(server)
    urls = {
        "CARAPULSE_DATABASE_URL": server.url(APP, DATABASE),
        "CARAPULSE_DATABASE_OWNER_URL": server.url(OWNER, DATABASE),
    }
    program = Program(data_dir / "data", connections, issuer, **urls)
    program.start()
    try:
        world.delays = {"GET hall": 1.0}
        execution = program.execute(a_change(world))
        program.wait_for_step(execution, 1, "running")

        server.stop()
        away = program.ask("GET", "/v1/plans")
        time.sleep(1.5)
        server = EmbeddedPostgres.start(outside)

        state = wait_patiently(program, execution)
        assert away.status_code == 503
        assert away.json()["code"] == "unavailable"
        assert state["status"] == "succeeded"
        assert repository.commits == ["v1", "to v2"]
    finally:
        program.end()
        server.stop()


def test_another_program_on_the_same_database_goes_on_where_one_was_killed(
    data_dir, connections, world, repository, issuer
):
    server = EmbeddedPostgres.start(data_dir / "outside")
    prepare(server)
    urls = {
        "CARAPULSE_DATABASE_URL": server.url(APP, DATABASE),
        "CARAPULSE_DATABASE_OWNER_URL": server.url(OWNER, DATABASE),
    }
    first, second = (Program(data_dir / name, connections, issuer, **urls) for name in ("first", "second"))
    first.start()
    try:
        world.delays = {"GET hall": 3.0}
        execution = first.execute(a_change(world))
        first.wait_for_step(execution, 1, "running")
        second.start()
        first.end(signal.SIGKILL)
        world.delays = {}

        state = second.wait(execution, "succeeded")

        assert state["left"] == []
        assert repository.commits == ["v1", "to v2"]
    finally:
        first.process.kill()
        second.end()
        server.stop()


def test_a_program_that_may_step_over_the_walls_does_not_start(data_dir, connections, issuer):
    outside = data_dir / "outside"
    server = EmbeddedPostgres.start(outside)
    prepare(server)
    urls = {
        "CARAPULSE_DATABASE_URL": server.url(OWNER, DATABASE),
        "CARAPULSE_DATABASE_OWNER_URL": server.url(OWNER, DATABASE),
    }
    program = Program(data_dir / "data", connections, issuer, **urls)
    try:
        with pytest.raises(AssertionError, match="must not run as a role"):
            program.start()
    finally:
        program.end(signal.SIGKILL)
        server.stop()


def postmaster(program):
    return int((program.data_dir / "postgres" / "postmaster.pid").read_text().splitlines()[0])


def wait_patiently(program, execution, seconds=40):
    """Ask until it is over; answers of 503 are what a caller gets while the database is away."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        answer = program.ask("GET", f"/v1/executions/{execution}")
        if answer.status_code == 200 and answer.json()["finished_at"]:
            return answer.json()
        assert answer.status_code in {200, 503}, answer.text
        time.sleep(0.2)
    raise AssertionError(program.log.read_text()[-3000:])
