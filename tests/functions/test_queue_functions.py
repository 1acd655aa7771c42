"""approvals and execution: each message does its work through both kinds of cloud, and only once."""

import json
from datetime import UTC, datetime, timedelta

from tests.functions.clouds import on_framework, on_google, on_lambda

from carapulse.executions.usecases import ExecutePlan, execute_plan
from carapulse.plans.requests import CreatePlan
from carapulse.plans.usecases import create_plan

UNREADABLE = '{"what": "is this"}'


def a_probe(installation):
    return {
        "stage": "verify",
        "tool": "http",
        "action": "probe",
        "input": {"url": f"http://127.0.0.1:{installation.shop.server_port}/"},
        "expect": [{"path": "text", "op": "eq", "value": "open"}],
    }


def a_look(installation):
    """Draft a plan that only asks the shop whether it is open, and return its id."""
    wanted = {"summary": "Is the shop open?", "context": {"environment": "dev"}, "steps": [a_probe(installation)]}
    return create_plan(CreatePlan.model_validate(wanted), installation.call(), installation.app).plan_id


def a_running_look(installation):
    """Start such a plan, and return its id and the message that waits for a worker."""
    plan_id = a_look(installation)
    execute_plan(plan_id, ExecutePlan(), installation.call(), installation.app)
    (step,) = installation.envelopes("executions")
    return plan_id, step


def a_plan_in_production(installation, at=None):
    """Draft a plan that people are asked about, now or at another moment."""
    step = {
        "stage": "act",
        "tool": "kubectl",
        "action": "scale",
        "input": {"resource": "deployment/shop", "namespace": "shop", "replicas": 3},
    }
    wanted = {
        "summary": "More shops",
        "context": {"environment": "prod", "namespace": "shop"},
        "steps": [step, a_probe(installation)],
    }
    then = installation.application(at=at)
    plan = create_plan(CreatePlan.model_validate(wanted), installation.call(at=at), then)
    then.close()
    return plan


def an_old_approval(installation):
    """Ask for an approval two days ago, and return the plan's id and the message that ends it."""
    plan_id = a_plan_in_production(installation, datetime.now(UTC) - timedelta(days=2)).plan_id
    installation.later()
    (expiry,) = installation.envelopes("approvals")
    return plan_id, expiry


def of_no_type(installation):
    """Return a message that nobody here knows how to handle, as a newer version might send one."""
    _, message = a_running_look(installation)
    installation.rows("UPDATE messages SET type = 'NoSuchThing' RETURNING id")
    return message


def dead(installation):
    return [each.last_error for each in installation.rows("SELECT last_error FROM messages WHERE dead_at IS NOT NULL")]


def executions(installation):
    return [each.status for each in installation.rows("SELECT status FROM executions")]


def test_execution_makes_a_step_once_on_lambda_and_gives_back_only_what_failed(installation):
    plan_id, step = a_running_look(installation)

    with on_lambda("execution", installation.environment) as function:
        first = function.messages(step, UNREADABLE, step.replace("acme", "evil"))
        second = function.messages(step)

    assert (first, second) == ([1, 2], [])
    assert executions(installation) == ["succeeded"]
    assert installation.shop.asked == 1
    assert installation.happened(plan_id)[-1] == "ExecutionFinished"


def test_execution_makes_a_step_once_on_cloud_run_and_asks_for_a_repetition_of_what_failed(at_google):
    _, step = a_running_look(at_google)

    with on_google("execution", at_google.environment) as function:
        answers = [function.message(step), function.message(step), function.message(UNREADABLE)]

    assert answers == [204, 204, 422]
    assert executions(at_google) == ["succeeded"]
    assert at_google.shop.asked == 1


def test_execution_takes_a_message_as_a_broker_of_knative_hands_it_on(installation):
    _, step = a_running_look(installation)

    with on_framework("execution", installation.environment) as function:
        answers = [
            function.event(json.loads(step)),
            function.binary(json.loads(step)),
            function.post(b"{}").status_code,
        ]

    assert (answers, executions(installation)) == ([204, 204, 422], ["succeeded"])
    assert installation.shop.asked == 1


def test_approvals_closes_what_nobody_answered_on_lambda(installation):
    plan_id, expiry = an_old_approval(installation)

    with on_lambda("approvals", installation.environment) as function:
        back = function.messages(expiry, expiry)

    assert back == []
    assert installation.happened(plan_id).count("ApprovalExpired") == 1


def test_approvals_closes_what_nobody_answered_on_cloud_run(at_google):
    plan_id, expiry = an_old_approval(at_google)

    with on_google("approvals", at_google.environment) as function:
        answers = [function.message(expiry), function.message(expiry)]

    assert answers == [204, 204]
    assert at_google.happened(plan_id).count("ApprovalExpired") == 1


def test_what_no_function_can_handle_is_a_dead_letter_and_does_not_come_again(installation):
    message = of_no_type(installation)

    with on_lambda("execution", installation.environment) as function:
        back = [function.messages(message) for _ in range(2)]

    assert back == [[], []]
    assert dead(installation) == ["invalid: no handler knows this type of message"]


def test_a_message_whose_function_never_came_to_an_end_is_given_up(installation):
    _, step = a_running_look(installation)

    with on_lambda("execution", installation.environment) as function:
        back = function.messages(step, times=9)

    assert back == []
    assert dead(installation) == ["whoever worked on it never came to an end"]
