"""What policy decided about a plan, as the plan's own stream tells it."""

from pydantic import AwareDatetime

from carapulse.audit.model import SealedEntry
from carapulse.kernel.record import Record
from carapulse.policy.model import Outcome, Reason
from carapulse.rows import read_row
from carapulse.tools.model import JsonObject

_STEP = "step.run"


class PlanDecision(Record):
    """One answer of policy. A step that was let through needs no reasons; one that was not says them."""

    decision_id: str
    at: AwareDatetime
    seq: int
    actor: str
    action: str
    step_id: str | None = None
    outcome: Outcome
    reasons: tuple[Reason, ...] = ()
    approvals_required: int | None = None
    obligations: JsonObject | None = None
    input_digest: str
    policy_digest: str
    answered: bool = True


def decision_of(event: SealedEntry) -> PlanDecision | None:
    """Return the decision that an event tells of, or None if it tells of none."""
    told = _told(event)
    if told is None:
        return None
    place = {"at": event.at, "seq": event.seq, "actor": event.actor}
    return read_row(PlanDecision, {**told, **place}, table="events", row_id=event.id)


def _told(event: SealedEntry) -> JsonObject | None:
    """Return what is told: by an event of its own, or beside a step's beginning or refusal."""
    if event.type == "PolicyDecided":
        return event.body
    grant = event.body.get("grant")
    return {**grant, "action": _STEP, "step_id": event.body.get("step_id")} if isinstance(grant, dict) else None
