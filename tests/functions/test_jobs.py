"""scheduler and migrate: what no message asks for."""

import os

import pytest
from tests.builders.log import App as LogApp
from tests.builders.log import a_call, write
from tests.functions.clouds import on_framework, on_google, on_lambda, recorded
from tests.functions.test_queue_functions import a_look
from tests.world.aws import an_amazon, where
from tests.world.kms import ALIAS, a_kms
from tests.world.warm import started

from carapulse.adapters.aws.kms import KmsKey
from carapulse.adapters.embedded.database import APP, OWNER, prepare
from carapulse.adapters.embedded.postgres import over_socket
from carapulse.adapters.postgres.engine import connect
from carapulse.audit.usecases import latest_checkpoint
from carapulse.audit.verifier import open_checkpoint
from carapulse.kernel.clock import SystemClock


def checkpoints(installation):
    return [each.size for each in installation.rows("SELECT size FROM checkpoints")]


def test_scheduler_covers_the_log_by_a_checkpoint_on_lambda(installation):
    a_look(installation)

    with on_lambda("scheduler", installation.environment) as function:
        answers = [function(recorded("aws/schedule"))[0] for _ in range(2)]

    assert answers == ["response", "response"]
    assert checkpoints(installation) == [len(installation.rows("SELECT 1 FROM events"))]


def test_scheduler_covers_the_log_by_a_checkpoint_on_knative(installation):
    a_look(installation)

    with on_framework("scheduler", installation.environment) as function:
        answers = [function.binary(recorded("cloudevents/ping")) for _ in range(2)]
        refused = function.post(b"").status_code

    assert (answers, refused) == ([204, 204], 422)
    assert checkpoints(installation) == [len(installation.rows("SELECT 1 FROM events"))]


def test_scheduler_covers_the_log_when_cloud_scheduler_calls_and_for_nobody_else(at_google):
    a_look(at_google)

    with on_google("scheduler", at_google.environment) as function:
        refused = function.post(b"").status_code
        before = checkpoints(at_google)
        answer = function.push(b"").status_code

    assert (refused, before) == (401, [])
    assert (answer, checkpoints(at_google)) == (204, [len(at_google.rows("SELECT 1 FROM events"))])


@pytest.fixture
def empty(postgres, tmp_path):
    """Give the settings of an installation that nobody has migrated."""
    prepare(postgres, "fresh")
    yield {
        "CARAPULSE_DATA_DIR": str(tmp_path / "data"),
        "CARAPULSE_DATABASE_URL": postgres.url(APP, "fresh"),
        "CARAPULSE_DATABASE_OWNER_URL": postgres.url(OWNER, "fresh"),
    }
    admin = over_socket(postgres.socket)
    admin.run("DROP DATABASE fresh WITH (FORCE)")
    admin.close()


def tables(postgres):
    connection = over_socket(postgres.socket, "fresh")
    found = {name for (name,) in connection.run("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")}
    connection.close()
    return found


def run(function, environment, folder):
    """Run a function as a job, and return its exit code and what it said."""
    given = {"PATH": os.environ["PATH"], "PYTHONPATH": "shared", **environment}
    with (folder / "said").open("w+b") as said:
        code = started([f"functions/{function}/main.py"], given, stderr=said).wait(60)
        said.seek(0)
        return code, said.read().decode()


def test_migrate_makes_the_tables_and_the_keys_as_a_job_and_repeats_harmlessly(postgres, empty, tmp_path):
    codes = [run("migrate", empty, tmp_path)[0] for _ in range(2)]

    assert codes == [0, 0]
    assert {"events", "plans", "executions"} <= tables(postgres)
    assert {"evidence.key", "evidence.vkey", "sealing-key"} == {each.name for each in (tmp_path / "data").iterdir()}


def test_migrate_makes_the_tables_on_lambda(postgres, empty):
    with on_lambda("migrate", empty) as function:
        kind, _ = function({})

    assert kind == "response"
    assert {"events", "plans", "executions"} <= tables(postgres)


def test_migrate_seals_everything_anew_on_lambda_when_it_is_asked_to_and_knows_no_other_job(empty):
    with on_lambda("migrate", empty) as function:
        function({})
        kind, said = function({"do": "reseal"})
        refused, _ = function({"do": "drop everything"})

    assert (kind, refused) == ("response", "error")
    assert (said["left"], said["former"]) == (0, [])


def test_functions_need_no_data_directory_where_services_keep_the_keys(postgres, empty, tmp_path):
    with a_kms() as kms:
        elsewhere = {
            **empty,
            **kms.environment,
            "CARAPULSE_DATA_DIR": "/proc/nobody/makes/this",
            "CARAPULSE_EVIDENCE_KEY": f"kms:{ALIAS}",
            "CARAPULSE_SEALING_KEY": "env:SEALING",
            "SEALING": "0f" * 32,
        }
        codes = [run("migrate", elsewhere, tmp_path)[0] for _ in range(2)]
        key = KmsKey.connect(ALIAS)
        write(log := LogApp(connect(empty["CARAPULSE_DATABASE_URL"]), SystemClock(), key))
        with on_lambda("scheduler", elsewhere) as function:
            answered = function(recorded("aws/schedule"))[0]
        note = open_checkpoint(latest_checkpoint(a_call(), log).note, key.key)
        log.engine.dispose()

    assert (codes, answered) == ([0, 0], "response")
    assert note["number"] == 1


@pytest.mark.parametrize("place", ["env:SEALING", "aws:nothing"])
def test_a_function_whose_sealing_key_is_not_where_it_should_be_does_not_start(empty, tmp_path, place):
    with an_amazon() as server:
        elsewhere = {"CARAPULSE_EVIDENCE_KEY": f"kms:{ALIAS}", "CARAPULSE_SEALING_KEY": place}
        code, said = run("execution", {**empty, **where(server), **elsewhere}, tmp_path)

    assert code != 0
    assert place in said


def test_a_function_without_the_shared_keys_does_not_start(empty, tmp_path):
    code, said = run("execution", empty, tmp_path)

    assert code != 0
    assert "run migrate first" in said


def test_a_function_without_a_database_does_not_start(installation, tmp_path):
    settings = {name: value for name, value in installation.environment.items() if name != "CARAPULSE_DATABASE_URL"}

    code, said = run("execution", settings, tmp_path)

    assert code != 0
    assert "CARAPULSE_DATABASE_URL" in said
