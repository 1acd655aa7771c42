"""A request that is sent twice under one key is carried out once, and answered as it was."""

import json
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from tests.builders.intake import a_registration
from tests.builders.keys import a_key
from tests.integration.idempotency.conftest import PLAN

from carapulse.idempotency.model import LARGEST_ANSWER
from carapulse.runtime.minute import do_minute

STARTS = [
    "/v1/plans",
    "/v1/plans/p/versions",
    "/v1/plans/p:execute",
    "/v1/workflows/w:start",
    "/v1/executions/e:undo",
    "/v1/executions/e:retry",
    "/v1/dead-letters/m:replay",
]


def code(answer):
    return (answer.status_code, answer.json()["code"])


def seen(answer):
    return (answer.status_code, answer.content, answer.headers.get("location"), answer.headers["content-type"])


@pytest.mark.parametrize("path", STARTS)
def test_what_starts_work_is_refused_without_a_key(site, path):
    assert code(site.ask("POST", path, {}, key=None)) == (400, "idempotency-key-missing")


@pytest.mark.parametrize(
    "key", ["", " ", "a b", '"', '"a', 'a"', "a;b=1", "a, b", '""', "x" * 256, '"a\\b"', "schlüssel"]
)
def test_a_key_that_is_none_is_refused(site, key):
    given = key.encode("latin-1")

    answer = site.ask("POST", "/v1/plans", PLAN, key=given)

    assert code(answer) == (400, "idempotency-key-malformed")


def test_the_answer_to_a_repetition_is_the_first_one(site):
    key, execute = a_key(), a_key()

    first, again = site.plan(key), site.plan(key)
    path = f"/v1/plans/{first.json()['plan_id']}:execute"
    begun, begun_again = site.ask("POST", path, key=execute), site.ask("POST", path, key=execute)

    assert seen(first) == seen(again)
    assert first.status_code == 201
    assert seen(begun) == seen(begun_again)
    assert begun.headers["location"] == f"/v1/executions/{begun.json()['execution_id']}"
    assert [each.headers.get("idempotent-replayed") for each in (first, again)] == [None, "true"]


def test_a_key_is_the_same_in_quotation_marks_and_a_body_however_it_is_spelled(site):
    key = a_key()
    first = site.plan(key)

    spelled = json.dumps(dict(reversed(PLAN.items())), indent=4).replace("dev", "\\u0064ev")
    again = site.ask("POST", "/v1/plans", key=f'"{key}"', content=spelled, headers={"content-type": "application/json"})

    assert seen(first) == seen(again)


def test_another_request_under_the_same_key_is_refused(site):
    key = a_key()
    plan_id = site.plan(key).json()["plan_id"]

    others = [
        site.plan(key, summary="Another"),
        site.ask("POST", f"/v1/plans/{plan_id}/versions", PLAN, key=key),
        site.ask("POST", "/v1/plans?dry=1", PLAN, key=key),
        site.ask("POST", "/v1/plans", key=key),
    ]

    assert {code(each) for each in others} == {(422, "idempotency-key-reused")}


def test_a_key_is_one_actors_in_one_tenant(site):
    key = a_key()
    ada = site.plan(key)

    bob = site.plan(key, by="bob")
    rival = site.ask("POST", "/v1/plans", PLAN, key=key, tenant="rival")

    assert len({each.json()["plan_id"] for each in (ada, bob, rival)}) == 3


def test_a_key_may_be_given_to_any_other_request_that_asks_for_something(site):
    plan_id, key = site.plan(a_key()).json()["plan_id"], a_key()

    closed = [site.ask("POST", f"/v1/plans/{plan_id}:close", {"reason": "done"}, key=key) for _ in range(2)]
    without = site.ask("POST", f"/v1/plans/{plan_id}:close", {"reason": "done"}, key=None)

    assert seen(closed[0]) == seen(closed[1])
    assert closed[0].status_code == 200
    assert (without.status_code, "idempotent-replayed" in without.headers) == (200, False)


def test_a_request_that_is_wrong_is_answered_as_before(site):
    key = a_key()

    first, again = site.plan(key, steps=[]), site.plan(key, steps=[])

    assert first.status_code == 422
    assert seen(first) == seen(again)
    assert again.headers["idempotent-replayed"] == "true"


def test_a_refusal_that_may_pass_frees_the_key(site):
    key, path = a_key(), "/v1/plans"

    refused = site.ask("POST", path, PLAN, key=key, role="viewer")
    allowed = site.ask("POST", path, PLAN, key=key, role="operator")

    assert (refused.status_code, allowed.status_code) == (403, 201)


def test_a_conflict_that_wrote_nothing_frees_the_key(site):
    plan_id, key = site.plan(a_key()).json()["plan_id"], a_key()
    path, body = f"/v1/plans/{plan_id}:execute", {"digest": f"sha256:{'0' * 64}"}

    conflicts = [site.ask("POST", path, body, key=key) for _ in range(2)]

    assert {code(each) for each in conflicts} == {(409, "plan-changed")}
    assert site.row(key) is None


def test_a_refusal_that_is_in_the_log_is_answered_as_before(site):
    switch = {"stage": "act", "tool": "lamp", "action": "switch", "input": {"lamp": "hall", "lit": True}}
    verify = {**PLAN["steps"][0], "stage": "verify", "expect": [{"path": "lit", "op": "eq", "value": True}]}
    context = {"environment": "prod"}
    plan = site.plan(a_key(), context=context, steps=[switch, verify]).json()
    key, path = a_key(), f"/v1/plans/{plan['plan_id']}:execute"

    refused, again = (site.ask("POST", path, key=key, role="operator") for _ in range(2))

    assert refused.status_code == 403
    assert seen(refused) == seen(again)
    assert again.headers["idempotent-replayed"] == "true"


def test_a_repetition_needs_the_permission_that_the_first_request_needed(site):
    key = a_key()
    site.plan(key)

    refused = site.ask("POST", "/v1/plans", PLAN, key=key, role="viewer")

    assert code(refused) == (403, "role-required")


def test_answers_are_sealed_and_open_in_no_other_row(site):
    mine, other = a_key(), a_key()
    site.plan(mine, summary="Quite particular words")
    site.plan(other, summary="Quite particular words")

    with site.database.as_superuser() as connection:
        connection.run(
            "UPDATE idempotency_keys SET sealed = (SELECT sealed FROM idempotency_keys WHERE key = :mine) WHERE key = :o",
            mine=mine,
            o=other,
        )
    answer = site.plan(other, summary="Quite particular words")

    assert "particular" not in site.row(mine)["sealed"]
    assert answer.status_code == 503


def test_an_answer_that_shows_a_secret_is_not_kept(site):
    new = {"If-None-Match": "*"}
    site.ask("PUT", "/v1/sources/alerts", a_registration().model_dump(mode="json"), headers=new)
    key, path = a_key(), "/v1/sources/alerts:rotate"

    issued, again = (site.ask("POST", path, {"older_for_s": 60}, key=key) for _ in range(2))

    assert issued.status_code == 200
    assert code(again) == (409, "idempotency-answer-secret")
    assert again.json()["first_trace_id"] == issued.headers["traceparent"].split("-")[1]
    assert (site.row(key)["withheld"], site.row(key)["sealed"]) == ("secret", None)


def test_an_answer_that_is_too_large_is_said_to_be_so(site):
    long = {"expect": [{"path": "lit", "op": "ne", "value": "x" * 3000}]}
    key, steps = a_key(), [{**PLAN["steps"][0], **long} for _ in range(100)]

    first, again = site.plan(key, steps=steps), site.plan(key, steps=steps)

    assert (first.status_code, len(first.content) > LARGEST_ANSWER) == (201, True)
    assert code(again) == (409, "idempotency-answer-too-large")


def test_of_eight_at_once_one_is_carried_out(site):
    key, summary, at_once = a_key(), "Of eight at once", threading.Barrier(8)

    def send(_number):
        at_once.wait()
        return site.plan(key, summary=summary)

    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(send, range(8)))

    made = [each for each in answers if each.status_code == 201]
    others = [each for each in answers if each.status_code != 201]
    assert len({each.content for each in made}) == 1
    assert {code(each) for each in others} <= {(409, "idempotency-key-in-use")}
    assert all(int(each.headers["retry-after"]) >= 1 for each in others)
    assert [each.headers.get("idempotent-replayed") for each in made].count(None) == 1
    assert site.plans_named(summary) == 1


def test_a_webhook_has_no_use_for_a_key(site):
    answers = [site.ask("POST", "/v1/webhooks/alertmanager/src_0", {}, key="x y") for _ in range(2)]

    assert {each.status_code for each in answers} == {401}


def test_a_key_is_kept_for_a_day_and_then_goes(site):
    old, young = a_key(), a_key()
    site.plan(old)
    site.plan(young)
    site.let_pass(old, "24 hours 1 minute")
    site.let_pass(young, "23 hours 59 minutes")

    do_minute(site.app)

    assert site.row(old) is None
    assert site.row(young)["state"] == "answered"
