"""One approval by its id, and answers that one person hands to another."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import timedelta

import pytest
from tests.builders.keys import a_key
from tests.integration.plans.test_deciding_approvals import a_person, decide, drafted
from tests.integration.plans.test_over_http import PLAN

from carapulse.approvals.delegating import DelegateApproval, delegate_approval
from carapulse.approvals.ports import ApprovalFilter
from carapulse.approvals.usecases import get_approval, list_approvals
from carapulse.kernel.errors import Problem


@pytest.fixture
def plan(ask):
    return ask("POST", "/v1/plans", PLAN).json()


class Desk:
    """What people do with the one approval of a plan."""

    def __init__(self, ask, plan):
        self.ask, self.plan = ask, plan
        self.id = ask("GET", f"/v1/approvals?plan_id={plan['plan_id']}").json()["data"][0]["id"]

    def get(self, **who):
        return self.ask("GET", f"/v1/approvals/{self.id}", **who)

    def hand(self, to, by="bob", role="approver", **body):
        return self.ask("POST", f"/v1/approvals/{self.id}:delegate", {"to": to, **body}, by=by, role=role)

    def answer(self, by, role="operator", status="approved", tenant="acme", **headers):
        etag = self.ask("GET", f"/v1/plans/{self.plan['plan_id']}").headers["etag"]
        body = {"status": status, "digest": self.plan["digest"]}
        headers = {"if-match": etag, **headers}
        path = f"/v1/approvals/{self.id}:decide"
        return self.ask("POST", path, body, by=by, role=role, tenant=tenant, **headers)

    def answer_by_plan(self, by, role="operator", **more):
        etag = self.ask("GET", f"/v1/plans/{self.plan['plan_id']}").headers["etag"]
        body = {"plan_id": self.plan["plan_id"], "status": "approved", "digest": self.plan["digest"], **more}
        return self.ask("POST", "/v1/approvals", body, by=by, role=role, **{"if-match": etag})


@pytest.fixture
def desk(ask, plan):
    return Desk(ask, plan)


def code(answer):
    return (answer.status_code, answer.json()["code"])


def faults(answer):
    assert code(answer) == (422, "delegation-refused")
    return {(each["pointer"], each["code"]) for each in answer.json()["errors"]}


def test_an_approval_is_shown_and_answered_by_its_id(ask, desk, plan):
    assert (desk.get().json()["status"], bool(desk.get().headers["etag"])) == ("pending", True)

    answered = desk.answer("bob", "approver")

    assert (answered.status_code, answered.json()["status"]) == (200, "approved")
    assert answered.headers["etag"] == desk.get().headers["etag"]
    assert ask("GET", f"/v1/plans/{plan['plan_id']}").json()["status"] == "approved"


def test_whom_an_answer_was_handed_to_may_send_it_again_and_is_answered_as_before(ask, desk, plan):
    desk.hand("eve")
    sent = {"if-match": ask("GET", f"/v1/plans/{plan['plan_id']}").headers["etag"], "Idempotency-Key": a_key()}
    path, body = f"/v1/approvals/{desk.id}:decide", {"status": "approved", "digest": plan["digest"]}

    first, again = (ask("POST", path, body, by="eve", role="operator", **sent) for _ in range(2))

    assert (first.status_code, again.status_code) == (200, 200), again.text
    assert (again.json(), again.headers["idempotent-replayed"]) == (first.json(), "true")
    assert code(ask("POST", path, body, by="eve", role="collector", **sent)) == (403, "role-required")


def test_an_answer_names_the_plan_that_was_read_and_the_digest_that_was_judged(ask, desk, plan):
    path, body = f"/v1/approvals/{desk.id}:decide", {"status": "approved", "digest": plan["digest"]}
    stranger = {"by": "bob", "role": "approver"}

    assert code(ask("POST", path, body, **stranger)) == (428, "precondition-required")
    assert code(ask("POST", path, body, **stranger, **{"if-match": '"old"'})) == (412, "precondition-failed")
    assert code(ask("POST", path, {**body, "digest": "sha256:00"}, **stranger, **{"if-match": "*"})) == (
        409,
        "plan-changed",
    )


def test_an_approval_is_withdrawn_by_its_id(ask, desk, plan):
    withdrawn = ask("POST", f"/v1/approvals/{desk.id}:revoke", by="bob", role="approver")

    assert (withdrawn.status_code, withdrawn.json()["status"]) == (200, "revoked")
    assert ask("GET", f"/v1/plans/{plan['plan_id']}").json()["status"] == "rejected"


def test_an_approval_whose_plan_was_revised_is_not_the_one_that_is_open(ask, desk, plan):
    revised = ask("POST", f"/v1/plans/{plan['plan_id']}/versions", PLAN).json()
    desk.plan = revised

    assert code(desk.answer("bob", "approver")) == (409, "approval-closed")
    assert code(ask("POST", f"/v1/approvals/{desk.id}:revoke", by="bob", role="approver")) == (409, "approval-closed")
    assert code(desk.hand("eve")) == (409, "approval-closed")


def test_whom_an_answer_was_handed_to_gives_it_whatever_their_role(ask, desk, plan):
    assert code(desk.answer("eve")) == (403, "role-required")

    handed = desk.hand("eve", note="I am away")
    answered = desk.answer("eve")

    (delegation,) = handed.json()["delegations"]
    assert (delegation["delegator"], delegation["delegate"], delegation["note"]) == ("bob", "eve", "I am away")
    assert delegation["until"] == handed.json()["expires_at"]
    assert (answered.status_code, answered.json()["status"]) == (200, "approved")
    (answer,) = answered.json()["answers"]
    assert (answer["approver"], answer["on_behalf_of"]) == ("eve", "bob")
    told = ask("GET", f"/v1/plans/{plan['plan_id']}/timeline").json()["data"]
    assert "ApprovalDelegated" in [each["type"] for each in told]


def test_an_answer_that_was_handed_over_is_given_by_the_plan_s_id_as_well(ask, desk, plan):
    assert code(desk.answer_by_plan("eve")) == (403, "role-required")

    desk.hand("eve")
    beside = desk.answer_by_plan("eve", approval_id=desk.id)
    answered = desk.answer_by_plan("eve")

    assert code(beside) == (403, "role-required")
    assert (answered.status_code, answered.json()["answers"][0]["on_behalf_of"]) == (201, "bob")


@pytest.mark.parametrize(
    "body", [None, [], "plan", 7, {}, {"plan_id": None}, {"plan_id": ["x"]}, {"plan_id": "x" * 999}]
)
def test_whoever_may_not_answer_is_told_so_whatever_they_send(ask, body):
    assert ask("POST", "/v1/approvals", body, by="eve", role="operator").status_code in {403, 422}


def test_it_is_for_one_approval_alone(ask, desk):
    other = Desk(ask, ask("POST", "/v1/plans", PLAN).json())
    desk.hand("eve")

    assert code(other.answer("eve")) == (403, "role-required")
    withdrawal = ask("POST", f"/v1/approvals/{desk.id}:revoke", by="eve", role="operator")
    assert code(withdrawal) == (403, "role-required")


def test_whoever_handed_their_answer_on_has_none_and_gets_it_back_when_that_ends(ask, desk):
    until = ask.clock.now() + timedelta(hours=1)
    desk.hand("eve", until=until.isoformat())

    assert code(desk.answer("bob", "approver")) == (409, "answer-delegated")
    assert code(desk.hand("dan")) == (409, "answer-delegated")

    ask.clock.move(timedelta(hours=1))
    assert code(desk.answer("eve")) == (403, "role-required")
    assert desk.answer("bob", "approver").status_code == 200


def test_a_voice_is_heard_once(desk):
    desk.hand("eve")
    desk.answer("eve")

    assert code(desk.answer("bob", "approver", status="denied")) == (409, "already-answered")
    assert code(desk.answer("eve", status="denied")) == (409, "already-answered")
    assert code(desk.hand("dan")) == (409, "approval-closed")


def test_a_delegate_hands_nothing_on_even_with_a_role(desk):
    desk.hand("eve")

    assert code(desk.hand("dan", by="eve", role="operator")) == (403, "role-required")
    assert code(desk.hand("dan", by="eve", role="approver")) == (409, "answer-delegated")


def test_duties_stay_apart(ask, desk):
    desk.hand("eve", by="carol", until=(ask.clock.now() + timedelta(hours=1)).isoformat())

    assert faults(desk.hand("ada")) == {("/to", "not-another")}
    assert faults(desk.hand("bob")) == {("/to", "not-another")}
    assert faults(desk.hand("eve")) == {("/to", "delegated")}
    assert faults(desk.hand("carol")) == {("/to", "delegated")}
    assert code(desk.hand("bob", by="ada", role="approver")) == (403, "self-approval")
    assert code(desk.hand("bob", by="dan", role="operator")) == (403, "role-required")


@pytest.mark.parametrize("hours", [-1, 0, 25])
def test_it_ends_while_the_approval_is_open(ask, desk, hours):
    until = (ask.clock.now() + timedelta(hours=hours)).isoformat()

    assert faults(desk.hand("eve", until=until)) == {("/until", "out-of-time")}


@pytest.mark.parametrize(
    "body", [{"to": ""}, {"to": "a\nb"}, {}, {"to": "eve", "until": "soon"}, {"to": "eve", "by": "x"}]
)
def test_what_makes_no_sense_is_unprocessable(ask, desk, body):
    answer = ask("POST", f"/v1/approvals/{desk.id}:delegate", body, by="bob", role="approver")

    assert code(answer) == (422, "invalid-request")


def test_another_tenant_finds_nothing(ask, desk):
    for method, path, body in (
        ("GET", "", None),
        ("POST", ":decide", {"status": "approved", "digest": "sha256:00"}),
        ("POST", ":revoke", None),
        ("POST", ":delegate", {"to": "eve"}),
    ):
        theirs, nobodys = (
            ask(
                method,
                f"/v1/approvals/{name}{path}",
                body,
                by="bob",
                role="approver",
                tenant="rival",
                **{"if-match": "*"},
            )
            for name in (desk.id, "approval_0")
        )
        assert code(theirs) == code(nobodys) == (404, "approval-not-found")


def test_an_answer_handed_to_a_machine_is_worth_nothing(ask, desk):
    desk.hand("robot")

    machine = ask.issuer.mint("acme", "robot", frozenset({"agent"}), timedelta(hours=1), kind="agent")
    body = {"status": "approved", "digest": desk.plan["digest"]}
    headers = {"authorization": f"Bearer {machine}", "if-match": "*"}
    answer = ask.client.post(f"/v1/approvals/{desk.id}:decide", json=body, headers=headers)

    assert code(answer) == (403, "person-required")


def test_of_handing_an_answer_on_and_giving_it_at_once_only_one_is_done(app):
    plan = drafted(app, environment="prod")
    approval_id = list_approvals(ApprovalFilter(plan_id=plan.plan_id), a_person(), app).data[0].id

    def attempt(number):
        with suppress(Problem):
            if number % 2:
                return decide(app, plan, by="bob")
            return delegate_approval(approval_id, DelegateApproval(to=f"eve{number}"), a_person("bob"), app)
        return None

    with ThreadPoolExecutor(8) as threads:
        done = [each for each in threads.map(attempt, range(8)) if each is not None]

    kept = get_approval(approval_id, a_person(), app)
    assert len(done) == 1
    assert len(kept.answers) + len(kept.delegations) == 1
