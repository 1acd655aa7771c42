"""The image's command for Lambda under AWS' own Runtime Interface Emulator: answers, what takes too long, and a crash.

The emulator is one environment of Lambda. It breaks when it is asked twice at once, so each call waits for the last one.
"""

import os
import signal
import subprocess
import sys
import threading
import time
from contextlib import contextmanager

import httpx
import pytest
from infra.aws.emulator import PROGRAM
from infra.aws.template import load
from tests.functions.clouds import a_request, recorded
from tests.functions.conftest import Installation, a_shop
from tests.functions.test_queue_functions import a_running_look, executions
from tests.world.issuer import an_issuer
from tests.world.outages import children
from tests.world.pgbouncer import a_free_port
from tests.world.sqs import an_sqs
from tests.world.warm import ROOT

pytestmark = pytest.mark.skipif(not PROGRAM.exists(), reason="`make e2e-aws` fetches the emulator")
TIMEOUT_S = 6
RETURNED = {"batchItemFailures": [{"itemIdentifier": "0"}]}
"""The answer to a message that is none of ours."""


class Emulated:
    """One environment of a function, which takes one event at a time."""

    def __init__(self, process, port):
        self._process, self._turn = process, threading.Lock()
        self._url = f"http://127.0.0.1:{port}/2015-03-31/functions/function/invocations"

    def __call__(self, event):
        with self._turn:
            return httpx.post(self._url, json=event, timeout=60)

    def kill_runtime(self):
        """End the function's process, as running out of memory does."""
        (runtime,) = children(self._process.pid)
        os.kill(runtime, signal.SIGKILL)


@contextmanager
def emulated(function, environment, timeout_s=None):
    """Run what an image for Lambda runs, by the handler and, unless another is given, the timeout that AWS is told."""
    told = load(ROOT / "functions" / function / "function.yml")
    port, runtime = a_free_port(), a_free_port()
    where = ["--runtime-interface-emulator-address", f"127.0.0.1:{port}", "--runtime-api-address"]
    command = [str(PROGRAM), *where, f"127.0.0.1:{runtime}", "--log-level", "error"]
    given = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": "shared",
        "AWS_LAMBDA_FUNCTION_TIMEOUT": str(timeout_s or told["timeout"]),
    }
    process = subprocess.Popen(
        [*command, sys.executable, "-m", "awslambdaric", told["handler"]],
        cwd=ROOT,
        env=given | environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        _listens(process, port)
        yield Emulated(process, port)
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait(10)


def _listens(process, port):
    until = time.monotonic() + 20
    while True:
        assert process.poll() is None, "the emulator ended at its start"
        assert time.monotonic() < until, "the emulator did not listen in time"
        try:
            httpx.get(f"http://127.0.0.1:{port}/", timeout=1)
        except httpx.TransportError:
            time.sleep(0.05)
        else:
            return


@pytest.fixture
def installation(database, tmp_path):
    with a_shop() as shop, an_issuer() as issuer, an_sqs(database.name.replace("_", "-")) as queues:
        one = Installation(database, tmp_path / "data", shop, issuer, queues)
        yield one
        one.app.close()


def a_batch(body):
    record = recorded("aws/sqs_batch")["Records"][0]
    return {"Records": [{**record, "messageId": "0", "body": body}]}


def test_the_api_answers_what_an_http_api_hands_over(installation):
    with emulated("api", installation.environment) as function:
        first, second = function(a_request("GET", "/readyz")), function(a_request("GET", "/v1/plans"))

    assert (first.status_code, first.json()["statusCode"]) == (200, 200)
    assert (second.status_code, second.json()["statusCode"]) == (200, 401)


def test_execution_makes_a_step_once_however_often_its_message_comes(installation):
    _, step = a_running_look(installation)

    with emulated("execution", installation.environment) as function:
        answers = [function(a_batch(step)).json() for _ in range(2)]

    assert answers == [{"batchItemFailures": []}] * 2
    assert (executions(installation), installation.shop.asked) == (["succeeded"], 1)


def test_what_takes_longer_than_lambda_waits_is_ended_and_the_next_event_is_answered(installation):
    _, step = a_running_look(installation)
    shop = installation.shop

    with emulated("execution", installation.environment, TIMEOUT_S) as function:
        function(a_batch("{}"))
        shop.open.clear()
        late = function(a_batch(step))
        shop.open.set()
        after = function(a_batch("{}"))

    assert f"Task timed out after {TIMEOUT_S}.00 seconds" in late.text
    assert executions(installation) == ["running"]
    assert after.json() == RETURNED


def test_a_process_that_crashes_is_told_and_the_next_event_begins_another(installation):
    _, step = a_running_look(installation)
    shop, answers = installation.shop, []

    with emulated("execution", installation.environment) as function:
        function(a_batch("{}"))
        shop.open.clear()
        caller = threading.Thread(target=lambda: answers.append(function(a_batch(step))))
        caller.start()
        assert shop.entered.wait(30)
        function.kill_runtime()
        caller.join(20)
        shop.open.set()
        after = function(a_batch("{}"))

    (crashed,) = answers
    assert (crashed.status_code, crashed.json()["errorType"]) == (502, "Runtime.ExitError")
    assert executions(installation) == ["running"]
    assert after.json() == RETURNED
