"""What Google pushes: believed for its account and our audience alone, and answered so that it can be told apart."""

import base64
import json
import time

import pytest
from flask import Request
from tests.functions.clouds import on_framework, on_google, recorded
from tests.functions.conftest import an_installation
from tests.functions.test_queue_functions import UNREADABLE, a_running_look
from tests.world.issuer import an_issuer
from tests.world.pubsub import a_pubsub
from werkzeug.test import create_environ

from carapulse.bootstrap.believing import trusted
from carapulse.broker.events import STREAM
from carapulse.identity.accounts import ServiceAccount
from carapulse.identity.tokens import TokenVerifier
from carapulse.kernel.call import INSTALLATION
from carapulse.kernel.clock import SystemClock
from carapulse.runtime.door import Door

SOON = 3600


@pytest.fixture(scope="module")
def at_google(module_database, tmp_path_factory):
    folder = tmp_path_factory.mktemp("pushes") / "data"
    with a_pubsub(module_database.name) as queues, an_installation(module_database, folder, queues) as one:
        yield one


@pytest.fixture(scope="module")
def function(at_google):
    with on_google("execution", at_google.environment) as running:
        yield running


def status(installation, plan_id):
    (execution,) = installation.rows("SELECT status FROM executions WHERE plan_id = :plan", plan=plan_id)
    return execution.status


def forged(installation):
    with installation.app.begin(installation.call().model_copy(update={"tenant": INSTALLATION})) as work:
        statement = "SELECT body ->> 'queue' FROM events WHERE stream = %s AND type = 'ForgedMessageSeen' ORDER BY seq"
        return [queue for (queue,) in work.connection.exec_driver_sql(statement, (STREAM,)).all()]


def test_only_the_account_and_audience_that_were_chosen_are_believed(at_google, function):
    plan, step = a_running_look(at_google)
    now = time.time()
    unsigned = function.token().rpartition(".")[0]
    wrong = {
        "no token": "hello",
        "another audience": function.token(aud="https://carapulse.example/execution"),
        "another account": function.token(email="eve@acme.iam.gserviceaccount.com"),
        "an address that nobody verified": function.token(email_verified=False),
        "an address that says it in words": function.token(email_verified="true"),
        "no address": function.token(email=None),
        "another issuer": function.token(iss="https://accounts.google.com"),
        "too old": function.token(iat=now - 2 * SOON, exp=now - SOON),
        "not signed": f"{unsigned}.",
        "signature taken away": f"{unsigned}.SIGNATURE_REMOVED_BY_GOOGLE",
    }

    refused = {why: function.message(step, token=token) for why, token in wrong.items()}
    nobody = function.post(step.encode())

    assert refused == dict.fromkeys(wrong, 401)
    assert (nobody.status_code, nobody.json()["code"]) == (401, "token-missing")
    assert status(at_google, plan) == "running"
    assert function.message(step) == 204
    assert status(at_google, plan) == "succeeded"


def test_a_key_that_google_changes_is_learnt_and_the_old_one_forgotten(at_google, function):
    _, step = a_running_look(at_google)
    assert function.message(UNREADABLE) == 422

    old = function.token()
    function.rotate()

    assert function.message(step) == 204
    assert function.message(UNREADABLE, token=old) == 401


def test_what_is_no_push_is_refused_and_said_and_never_done(at_google, function):
    plan, step = a_running_look(at_google)
    push = recorded("pubsub/push")
    bodies = [
        step.encode(),
        b"",
        b"not even JSON",
        b"[]",
        {"subscription": push["subscription"]},
        {"message": {"data": base64.b64encode(step.encode()).decode()}},
        {**push, "message": {"data": "no base64!"}},
        {**push, "deliveryAttempt": "many"},
        {**push, "subscription": "nowhere"},
    ]

    before = len(forged(at_google))
    answers = [function.push(each) for each in bodies]

    assert [each.status_code for each in answers] == [422] * len(bodies)
    assert {each.json()["code"] for each in answers} == {"message-unreadable"}
    assert forged(at_google)[before:] == ["push"] * len(bodies)
    assert status(at_google, plan) == "running"


def test_what_this_installation_did_not_write_is_said_once_however_often_it_comes(at_google, function):
    _, step = a_running_look(at_google)
    changed, before = step.replace("acme", "evil"), len(forged(at_google))

    answers = [function.message(changed, times) for times in (1, 2, 3)]

    assert (answers, forged(at_google)[before:]) == ([403, 403, 403], ["planning"])


def test_a_push_whose_function_never_came_to_an_end_is_given_up(at_google, function):
    _, step = a_running_look(at_google)

    assert function.message(step, times=9) == 204
    (dead,) = at_google.rows("SELECT last_error FROM messages WHERE dead_at IS NOT NULL")
    assert dead.last_error == "whoever worked on it never came to an end"


def test_a_body_larger_than_any_message_is_not_read(function):
    assert function.push(b"x" * 70_000).status_code == 413


def test_a_cloud_event_of_pubsub_without_a_message_leaves_an_event_as_every_foreign_message_does(installation):
    event = recorded("cloudevents/pubsub")
    del event["data"]["message"]

    with on_framework("execution", installation.environment) as function:
        answers = [function.event(event), function.event({**event, "data": None}), function.binary(event)]

    assert answers == [422, 422, 422]
    assert forged(installation) == [event["source"]] * 3


def test_a_function_that_nobody_was_chosen_for_takes_nothing(installation):
    with on_framework("execution", installation.environment | {"CARAPULSE_PUSH": "none"}) as function:
        answer = function.post(json.dumps(recorded("cloudevents/ping")).encode())

    assert (answer.status_code, answer.json()["code"]) == (403, "nobody-may-call")


def test_a_function_of_pubsub_does_not_start_while_nobody_was_chosen_to_push(at_google):
    settings = at_google.environment | {"CARAPULSE_PUSH": "none"}

    with pytest.raises(AssertionError, match="ended at its start"), on_framework("execution", settings):
        pass


def test_while_the_keys_of_google_cannot_be_had_a_push_is_neither_believed_nor_refused():
    with an_issuer("RS256") as issuer:
        account = ServiceAccount(issuer=issuer.url, audience="us", email="push@acme.iam.gserviceaccount.com")
        clock = SystemClock()
        door = Door("google", TokenVerifier([trusted(account, clock)], clock))
        token = issuer.signed(issuer.claims(aud="us", email=account.email, email_verified=True), typ="JWT")
        request = Request(create_environ(headers={"Authorization": f"Bearer {token}"}))
        done: list[str] = []

        issuer.go_down()
        body, status, headers = door.answer(request, lambda _request, _body: done.append("work"))

    assert (status, json.loads(body)["code"], done) == (503, "issuer-unavailable", [])
    assert int(headers["Retry-After"]) >= 1
