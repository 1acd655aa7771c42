"""The last check before a step that changes something: on every path, at the last moment, and no answer means no."""

import threading
from collections import OrderedDict
from dataclasses import dataclass, field
from datetime import datetime

from carapulse.approvals.model import Approval, still_valid
from carapulse.executions.errors import StepRefused
from carapulse.executions.events import Grant
from carapulse.executions.model import ExecutionState, Phase
from carapulse.executions.ports import ExecutionPorts
from carapulse.kernel.call import Call
from carapulse.plans.judging import asked_under
from carapulse.plans.model import PlanStep, PlanVersion
from carapulse.policy.document import Action
from carapulse.policy.model import Decision
from carapulse.policy.usecases import enforce, judge

_MOST = 4096


@dataclass
class Judgements:
    """Answers of policy that are still the same: to the same question within the same second, by the same rules."""

    _kept: OrderedDict[tuple[object, ...], Decision] = field(default_factory=OrderedDict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def find(self, question: tuple[object, ...]) -> Decision | None:
        """Return the answer, if this was asked."""
        with self._lock:
            return self._kept.get(question)

    def keep(self, question: tuple[object, ...], decision: Decision) -> None:
        """Keep an answer; the oldest goes."""
        with self._lock:
            self._kept[question] = decision
            while len(self._kept) > _MOST:
                self._kept.popitem(last=False)


@dataclass(frozen=True, slots=True)
class Standpoint:
    """On what a step is let through: the run, the version that it runs, and the approval that it has."""

    state: ExecutionState
    version: PlanVersion
    approval: Approval | None


def recheck(on: Standpoint, step: PlanStep, phase: Phase, call: Call, ports: ExecutionPorts) -> Grant | None:
    """Return why the step may go ahead, None for one that only reads; StepRefused or Denied if it may not.

    Asked again: the digest of what was approved, the tools' own digests, the approval, and policy with the plan's
    constraints at this moment, for whoever asked for the execution. A dry run changes nothing and needs no approval.
    """
    if not step.mutating:
        return None
    check_tools(on.version, ports)
    if on.state.dry_run:
        return None
    now = ports.clock.now()
    _must_hold(on, now)
    decision = _judged(on, "undo" if phase == "undo" else step.stage.value, now.replace(microsecond=0), call, ports)
    enforce(decision, approvals=on.approval.granted if on.approval else 0)
    return Grant(
        decision_id=decision.id,
        outcome=decision.outcome,
        policy_digest=decision.policy_digest,
        input_digest=decision.input_digest,
    )


def check_tools(version: PlanVersion, ports: ExecutionPorts) -> None:
    """Raise StepRefused if a tool is no longer the one that was judged."""
    for tool, digest in version.tool_digests.items():
        if ports.catalogue.digest(tool) != digest:
            raise StepRefused("the tool has changed since the plan was judged", tool=tool)


def _judged(on: Standpoint, stage: str, second: datetime, call: Call, ports: ExecutionPorts) -> Decision:
    """Ask policy, in whole seconds; what it was asked within this very second it need not be asked again.

    The tenant's freezes and windows are read again every second second: what is declared meanwhile holds then.
    """
    question = (call.tenant, on.state.digest, on.state.requested_by, stage, second, ports.policy.digest)
    decision = ports.judgements.find(question)
    if decision is None:
        action = Action.model_validate({"name": "step.run", "type": "write", "stage": stage})
        asker = call.model_copy(update={"actor": on.state.requested_by})
        rules = ports.recent_rules.of(call.tenant, second, ports.calendar)
        asked = asked_under(rules, on.version, asker, action, ports, second)
        same = (asked.digest(), ports.policy.digest)  # another plan may ask the very same
        decision = ports.judgements.find(same) or judge(asked, ports.policy)
        if decision.answered:
            ports.judgements.keep(question, decision)
            ports.judgements.keep(same, decision)
    return decision


def _must_hold(on: Standpoint, now: datetime) -> None:
    approval, state = on.approval, on.state
    if approval is None or still_valid(approval, state.digest, now, execution_id=state.id):
        return
    raise StepRefused("the approval no longer holds", approval_id=approval.id, status=approval.status)
