"""The package, deployed: changes go through the HTTP API, SQS and the functions, on an AWS on this machine.

What this cloud can't show: access rights (it asks nobody), the network, RDS, EFS, alarms, and Lambda's own runtime; it
runs the functions with a Python of this machine. Tests stand in the order of an installation's life.
"""

import time

import pytest

pytestmark = pytest.mark.timeout(180)
ENDED = {"succeeded", "failed", "rolled_back", "rollback_failed", "cancelled"}


def a_note(text):
    return {"stage": "act", "tool": "grafana", "action": "annotate", "input": {"text": text, "tags": ["e2e"]}}


def a_look(outside):
    return {
        "stage": "verify",
        "tool": "http",
        "action": "probe",
        "input": {"url": f"http://{outside.address}/"},
        "expect": [{"path": "text", "op": "eq", "value": "open"}],
    }


def a_plan(deployment, text, environment="dev"):
    """Draft a plan that writes a note and looks whether the shop is open."""
    steps = [a_note(text), a_look(deployment.outside)]
    wanted = {"summary": text, "context": {"environment": environment}, "steps": steps}
    answer = deployment.ask("POST", "/v1/plans", wanted)
    assert answer.status_code == 201, answer.text
    return answer.json()


def approved(deployment, plan):
    answer = {"plan_id": plan["id"], "status": "approved", "digest": plan["digest"]}
    said = deployment.ask("POST", "/v1/approvals", answer, who="grace", role="approver")
    assert said.status_code == 201, said.text


def started(deployment, plan):
    answer = deployment.ask("POST", f"/v1/plans/{plan['id']}/executions", {})
    assert answer.status_code == 201, answer.text
    return answer.json()["id"]


def until(look, seconds=60):
    """Look until there is something to see, and return it."""
    end = time.monotonic() + seconds
    while not (seen := look()):
        assert time.monotonic() < end, "it did not come to be"
        time.sleep(0.25)
    return seen


def status(deployment, execution):
    return deployment.ask("GET", f"/v1/executions/{execution}").json()["status"]


def ended(deployment, execution):
    return until(lambda: (now := status(deployment, execution)) in ENDED and now)


def test_the_whole_template_is_taken_but_for_the_way_out_of_the_network(deployment):
    assert deployment.cloud.left_out == ["OutwardAddress", "Outward", "PrivateRoute"] or sorted(
        deployment.cloud.left_out
    ) == ["Outward", "OutwardAddress", "PrivateRoute"]


def test_migrate_makes_the_tables_and_then_the_api_is_ready(deployment):
    assert deployment.cloud.invoke("migrate") is None

    assert deployment.http.get("/readyz").status_code == 200
    assert deployment.http.get("/v1/plans").status_code == 401


def test_an_approved_change_is_made_and_verified(deployment):
    plan = a_plan(deployment, "more shops", "prod")
    approved(deployment, plan)

    assert ended(deployment, started(deployment, plan)) == "succeeded"
    assert "more shops" in deployment.outside.annotations.values()
