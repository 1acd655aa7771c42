"""The package, deployed: changes go through the HTTP API, SQS and the functions, on an AWS on this machine.

What this cloud can't show: access rights (it asks nobody), the network, RDS, alarms, and Lambda's own runtime; it
runs the functions with a Python of this machine. Tests stand in the order of an installation's life.
"""

import json
import re
import time

import pytest
from websockets.exceptions import WebSocketException
from websockets.sync.client import connect as open_socket

from carapulse.audit.verifier import Key, open_checkpoint

pytestmark = pytest.mark.timeout(180)
ENDED = {"succeeded", "failed", "rolled_back", "rollback_failed", "cancelled"}


# What a newer program might write, or somebody's hand: a message of a type that nobody knows.
SPOIL = """
CREATE FUNCTION spoil() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.type := 'NoSuchThing'; RETURN NEW; END $$;
CREATE TRIGGER spoil BEFORE INSERT ON messages FOR EACH ROW WHEN (NEW.type = 'AttemptAsked') EXECUTE FUNCTION spoil();
"""


TWO_DAYS_AGO = """
UPDATE approvals SET requested_at = now() - interval '2 days', expires_at = now() - interval '1 minute'
WHERE status = 'pending'
"""


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


def an_answer(deployment, plan):
    seen = deployment.ask("GET", f"/v1/plans/{plan['plan_id']}").headers["ETag"]
    answer = {"plan_id": plan["plan_id"], "status": "approved", "digest": plan["digest"]}
    return deployment.ask("POST", "/v1/approvals", answer, who="grace", role="approver", if_match=seen)


def started(deployment, plan):
    answer = deployment.ask("POST", f"/v1/plans/{plan['plan_id']}:execute", {})
    assert answer.status_code == 202, answer.text
    return answer.json()["execution_id"]


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
    return until(lambda: (now := status(deployment, execution)) in ENDED and now, seconds=150)


def test_the_whole_template_is_taken_but_for_the_way_out_of_the_network_and_the_rotation(deployment):
    assert deployment.cloud.left_out == ["AppSecretRotation", "Outward", "OutwardAddress", "PrivateRoute"]


def test_migrate_makes_the_tables_and_then_the_api_is_ready(deployment):
    assert deployment.cloud.invoke("migrate") is None

    assert deployment.http.get("/readyz").status_code == 200
    assert deployment.http.get("/v1/plans").status_code == 401


def test_a_client_follows_over_the_websocket_api_and_is_answered_until_it_leaves(deployment):
    ticket = deployment.ask("POST", "/v1/live:ticket").json()["ticket"]
    where = f"{deployment.cloud.sockets('ws')}?ticket={ticket}&types=PlanDrafted"
    with open_socket(where, proxy=None, open_timeout=60) as socket:
        begun = json.loads(socket.recv(60))
        plan = a_plan(deployment, "more sockets")
        seen = json.loads(socket.recv(20))
        socket.send('{"type":"ping"}')
        answered = json.loads(socket.recv(20))
        with pytest.raises(WebSocketException), open_socket(where, proxy=None, open_timeout=60) as used_up:
            used_up.recv(20)

    assert (begun["type"], seen["subject"], answered["type"]) == ("open", plan["plan_id"], "pong")
    assert int(answered["after"]) >= int(seen["sequence"])
    until(lambda: deployment.rows("SELECT count(*) FROM live_connections") == [[0]])


def test_an_approved_change_is_carried_by_the_machine_made_and_verified(deployment):
    plan = a_plan(deployment, "more shops", "prod")
    until(lambda: "AwaitApproval" in stands(deployment, plan))
    refused = deployment.ask("POST", f"/v1/plans/{plan['plan_id']}:execute", {})
    agreed = an_answer(deployment, plan)

    assert refused.status_code in {403, 409}, refused.text
    assert agreed.status_code == 201, agreed.text
    assert ended(deployment, started(deployment, plan)) == "succeeded"
    assert "more shops" in deployment.outside.annotations.values()
    until(lambda: deployment.cloud.machine_status(plan["plan_id"]) == "SUCCEEDED")
    entered = deployment.cloud.entered(plan["plan_id"])
    assert [each for each in entered if each.endswith("Steps")] == ["ActSteps", "VerifySteps"]


def stands(deployment, plan):
    """Return where the machine of a plan stands still."""
    found = deployment.rows(f"SELECT asked FROM machine_waits WHERE plan_id = '{plan['plan_id']}'")
    return [asked for (asked,) in found]


def test_the_minute_s_checkpoint_is_signed_by_the_key_service_and_verifies_with_its_public_half(deployment):
    def checkpoint():
        answer = deployment.ask("GET", "/v1/audit/checkpoints/latest", who="eve", role="auditor")
        return answer.text if answer.status_code == 200 else None

    kept = until(checkpoint, seconds=150)
    key = Key.parse(deployment.ask("GET", "/v1/audit/key", who="eve", role="auditor").text)
    encoded = deployment.cloud.client("kms").get_public_key(KeyId=deployment.cloud.physical("EvidenceKey"))["PublicKey"]

    assert open_checkpoint(kept, key)["number"] >= 1
    assert encoded.endswith(key.public)


def test_the_sealing_key_was_generated_whole(deployment):
    cloud = deployment.cloud
    sealing = cloud.client("secretsmanager").get_secret_value(SecretId=cloud.physical("SealingSecret"))["SecretString"]

    assert re.fullmatch("[0-9a-f]{64}", sealing)


def test_a_change_that_does_not_help_is_undone(deployment):
    deployment.outside.says = "closed"
    plan = a_plan(deployment, "fewer shops")
    try:
        outcome = ended(deployment, started(deployment, plan))
    finally:
        deployment.outside.says = "open"

    assert outcome == "rolled_back"
    until(lambda: deployment.cloud.machine_status(plan["plan_id"]) == "FAILED")
    assert deployment.cloud.entered(plan["plan_id"])[-1] == "RolledBack"
    assert "fewer shops" not in deployment.outside.annotations.values()


def test_a_change_that_is_cancelled_in_the_middle_is_undone(deployment):
    outside, before = deployment.outside, deployment.outside.asked
    outside.answers.clear()
    try:
        execution = started(deployment, a_plan(deployment, "no shops"))
        until(lambda: outside.asked > before)
        there = "no shops" in outside.annotations.values()
        cancelled = deployment.ask("POST", f"/v1/executions/{execution}:cancel", {})
    finally:
        outside.answers.set()

    assert (there, cancelled.status_code) == (True, 202), cancelled.text
    assert ended(deployment, execution) == "cancelled"
    assert "no shops" not in outside.annotations.values()


def test_an_approval_that_nobody_gives_expires_by_the_scheduler_s_minute(deployment):
    plan = a_plan(deployment, "night shops", "prod")
    deployment.rows(TWO_DAYS_AGO)
    deployment.rows("UPDATE messages SET available_at = now() WHERE queue = 'approvals'")

    until(lambda: "ApprovalExpired" in happened(deployment, plan), seconds=150)

    assert an_answer(deployment, plan).status_code in {403, 409, 410}


def happened(deployment, plan):
    found = deployment.rows(f"SELECT type FROM events WHERE stream = '{plan['plan_id']}'")
    return [name for (name,) in found]


def test_a_machine_that_is_stopped_from_outside_takes_its_plan_back(deployment):
    plan = a_plan(deployment, "closed shops")
    until(lambda: "AwaitStart" in stands(deployment, plan))
    deployment.cloud.client("stepfunctions").stop_execution(executionArn=deployment.cloud.machine(plan["plan_id"]))

    until(lambda: "PlanCancelled" in happened(deployment, plan), seconds=150)

    assert deployment.cloud.machine_status(plan["plan_id"]) == "ABORTED"


def test_what_is_not_ours_goes_to_the_dead_letters_of_sqs_and(deployment):
    cloud, sqs = deployment.cloud, deployment.cloud.client("sqs")
    queue, dead = cloud.physical("ExecutionsQueue"), cloud.physical("ExecutionsDeadLetters")
    sqs.set_queue_attributes(QueueUrl=queue, Attributes={"VisibilityTimeout": "0"})

    sqs.send_message(QueueUrl=queue, MessageBody='{"what": "is this"}')
    until(lambda: cloud.holds("ExecutionsDeadLetters") == 1, seconds=120)

    (message,) = sqs.receive_message(QueueUrl=dead, MaxNumberOfMessages=10)["Messages"]
    assert json.loads(message["Body"]) == {"what": "is this"}
    assert deployment.rows("SELECT count(*) FROM events WHERE type = 'ForgedMessageSeen'")[0][0] >= 1
    assert cloud.holds("ExecutionsQueue") == 0


def test_a_message_that_was_given_up_is_listed_and_replayed_through_the_api(deployment):
    outside, before = deployment.outside, deployment.outside.asked
    deployment.rows(SPOIL)
    execution = started(deployment, a_plan(deployment, "odd shops"))
    (letter,) = until(lambda: deployment.ask("GET", "/v1/dead-letters").json()["data"])
    still = status(deployment, execution)

    deployment.rows("DROP TRIGGER spoil ON messages")
    deployment.rows(f"UPDATE messages SET type = 'AttemptAsked' WHERE id = '{letter['id']}'")
    replayed = deployment.ask("POST", f"/v1/dead-letters/{letter['id']}:replay", {"note": "it is mended"})

    assert (letter["type"], still) == ("NoSuchThing", "running")
    assert replayed.status_code == 202, replayed.text
    assert ended(deployment, execution) == "succeeded"
    assert outside.asked == before + 1
