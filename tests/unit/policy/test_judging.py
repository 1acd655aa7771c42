"""An answer is believed only when it is one."""

from typing import Any

import pytest
from tests.builders.policy import ScriptedEngine, a_question

from carapulse.kernel.errors import Invalid, Unavailable
from carapulse.policy.errors import ApprovalRequired, PolicyDenied, PolicyUnavailable
from carapulse.policy.model import Decision, PolicyDecided
from carapulse.policy.usecases import enforce, judge

YES: dict[str, Any] = {
    "outcome": "allow",
    "reasons": [{"guard": "write_role", "reason": "may"}],
    "approvals_required": 0,
    "obligations": {},
}
ASK = YES | {"outcome": "require_approval", "approvals_required": 2}
NO = YES | {"outcome": "deny"}


def judged(answer: object) -> Decision:
    return judge(a_question(), ScriptedEngine(answer))


def test_a_clear_answer_becomes_the_decision():
    decision = judged(YES)

    assert (decision.outcome, decision.answered, decision.policy_digest) == ("allow", True, "sha256:scripted")
    assert decision.id.startswith("decision_")
    assert decision.input_digest == a_question().digest()


@pytest.mark.parametrize(
    "answer",
    [
        None,
        {},
        [],
        "allow",
        True,
        {"outcome": "allow"},
        YES | {"outcome": "approve"},
        YES | {"outcome": ["allow"]},
        YES | {"reasons": []},
        YES | {"reasons": [{"guard": "write_role"}]},
        YES | {"approvals_required": "0"},
        YES | {"approvals_required": True},
        YES | {"approvals_required": -1},
        YES | {"approvals_required": 1},
        ASK | {"approvals_required": 0},
        YES | {"ttl": 300},
        YES | {"obligations": None},
    ],
)
def test_w_p02_anything_but_a_clear_answer_denies(answer):
    decision = judged(answer)

    assert (decision.outcome, decision.answered, decision.approvals_required) == ("deny", False, 0)
    assert [reason.guard for reason in decision.reasons] == ["engine"]
    assert "could not be asked" in decision.reasons[0].reason


@pytest.mark.parametrize("problem", [Unavailable("no answer"), Invalid("can't be asked that")])
def test_an_engine_that_fails_denies(problem):
    decision = judged(problem)

    assert (decision.outcome, decision.answered) == ("deny", False)
    assert problem.detail in decision.reasons[0].reason


def test_reasons_come_in_one_order():
    reasons = [{"guard": "b", "reason": "x"}, {"guard": "a", "reason": "y"}, {"guard": "a", "reason": "x"}]

    decision = judged(NO | {"reasons": reasons})

    assert [(reason.guard, reason.reason) for reason in decision.reasons] == [("a", "x"), ("a", "y"), ("b", "x")]


@pytest.mark.parametrize(
    ("answer", "approvals", "permitted"),
    [
        (YES, 0, True),
        (ASK, 0, False),
        (ASK, 1, False),
        (ASK, 2, True),
        (ASK, 3, True),
        (NO, 9, False),
        (None, 9, False),
    ],
)
def test_a_decision_permits_with_enough_approvals_and_never_when_denied(answer, approvals, permitted):
    assert judged(answer).permits(approvals=approvals) is permitted


def test_enforcing_a_permit_does_nothing():
    enforce(judged(YES))
    enforce(judged(ASK), approvals=2)


@pytest.mark.parametrize(("answer", "refusal"), [(NO, PolicyDenied), (ASK, ApprovalRequired)])
def test_enforcing_anything_else_says_what_to_do(answer, refusal):
    decision = judged(answer)

    with pytest.raises(refusal) as raised:
        enforce(decision, approvals=1)

    assert raised.value.facts["decision_id"] == decision.id
    assert raised.value.facts["reasons"] == [{"guard": "write_role", "reason": "may"}]


def test_w_p07_when_policy_can_not_be_asked_the_caller_is_told_to_come_back_even_for_a_read():
    with pytest.raises(PolicyUnavailable):
        enforce(judged(Unavailable("down")))


def test_the_fact_carries_the_decision():
    decision = judged(ASK)

    fact = PolicyDecided.of(decision, a_question())

    assert fact.type == "PolicyDecided"
    assert fact.model_dump() == decision.model_dump(exclude={"id"}) | {
        "decision_id": decision.id,
        "action": "plan.execute",
    }
