"""Ask policy, and hold callers to the answer."""

from typing import Annotated, Any, Self

from pydantic import Field, Strict, ValidationError, model_validator

from carapulse.kernel.errors import Problem
from carapulse.kernel.ids import new_id
from carapulse.kernel.record import Record
from carapulse.policy.document import PolicyInput
from carapulse.policy.errors import ApprovalRequired, PolicyDenied, PolicyUnavailable
from carapulse.policy.model import Decision, Outcome, Reason
from carapulse.policy.ports import PolicyEngine


class Answer(Record):
    """An engine's answer that makes sense: it has reasons, and asks for approvals exactly when it says so."""

    outcome: Outcome
    reasons: Annotated[tuple[Reason, ...], Field(min_length=1)]
    approvals_required: Annotated[int, Strict(), Field(ge=0)]
    obligations: dict[str, Any]

    @model_validator(mode="after")
    def _agrees_with_itself(self) -> Self:
        if (self.outcome == "require_approval") != (self.approvals_required > 0):
            raise ValueError("approvals are required if and only if the outcome says so")
        return self


def judge(asked: PolicyInput, engine: PolicyEngine) -> Decision:
    """Decide what is asked. A missing, undefined or ill-formed answer, or an engine that fails, denies."""
    try:
        answer, answered = Answer.model_validate(engine.decide(asked.document())), True
    except Problem as problem:
        answer, answered = _no_answer(problem.detail), False
    except ValidationError:
        answer, answered = _no_answer("its answer is missing or makes no sense"), False
    return Decision(
        id=new_id("decision"),
        outcome=answer.outcome,
        reasons=tuple(sorted(answer.reasons, key=lambda reason: (reason.guard, reason.reason))),
        approvals_required=answer.approvals_required,
        obligations=answer.obligations,
        input_digest=asked.digest(),
        policy_digest=engine.digest,
        answered=answered,
    )


def enforce(decision: Decision, *, approvals: int = 0) -> None:
    """Return if the decision lets this go ahead with so many approvals; otherwise raise what the caller should do."""
    if decision.permits(approvals=approvals):
        return
    facts: dict[str, Any] = {
        "decision_id": decision.id,
        "outcome": decision.outcome,
        "reasons": [reason.model_dump() for reason in decision.reasons],
        "input_digest": decision.input_digest,
        "policy_digest": decision.policy_digest,
    }
    if not decision.answered:
        raise PolicyUnavailable("the policy could not be asked, so the answer is no", **facts)
    if decision.outcome == "require_approval":
        raise ApprovalRequired("more people must agree first", approvals_required=decision.approvals_required, **facts)
    raise PolicyDenied("policy says no", **facts)


def _no_answer(why: str) -> Answer:
    reason = Reason(guard="engine", reason=f"the policy could not be asked: {why}")
    return Answer(outcome="deny", reasons=(reason,), approvals_required=0, obligations={})
