"""Plans, executions and what went wrong, in the few lines that a chat has room for."""

import json
from typing import Final

from carapulse.approvals.model import Approval
from carapulse.chatops.grammar import USAGE
from carapulse.chatops.model import Link, Question, Reply
from carapulse.executions.views import ExecutionView
from carapulse.kernel.errors import Problem
from carapulse.plans.model import PlanStatus
from carapulse.plans.steps import PlanStep
from carapulse.plans.views import PlanSummary, PlanView
from carapulse.policy.errors import PolicyDenied
from carapulse.redaction import redacted

_MOST_STEPS: Final = 20
_LONGEST_INPUT: Final = 300
_SHOWN_OF_DIGEST: Final = 12


def short(digest: str) -> str:
    """Return as much of a digest as a person reads and types."""
    return digest.removeprefix("sha256:")[:_SHOWN_OF_DIGEST]


def help_reply() -> Reply:
    """Return how every command is written."""
    return Reply(title="What can be asked here", lines=tuple(f"/carapulse {usage}" for usage in USAGE.values()))


def linked_reply(link: Link) -> Reply:
    """Return who a user of the chat is, and until when."""
    actor = link.principal.actor
    facts = {"roles": ", ".join(sorted(actor.roles)) or "none", "until": f"{link.expires_at:%Y-%m-%d %H:%M} UTC"}
    if not actor.scope.is_whole:
        facts["scope"] = "; ".join(f"{name}: {', '.join(names)}" for name, names in actor.scope if names is not None)
    return Reply(title=f"You are {link.subject}", facts={**facts, "tenant": link.principal.tenant})


def plans_reply(waiting: tuple[PlanSummary, ...], approved: tuple[PlanSummary, ...]) -> Reply:
    """Return what waits for people: for an answer, and to be executed."""
    lines = [_line(each) for each in (*waiting, *approved)]
    return Reply(title="Plans that wait" if lines else "No plan waits", lines=tuple(lines))


def plan_reply(plan: PlanView) -> Reply:
    """Return all that a person decides about; with the question, if it is open."""
    facts = {
        "plan": plan.plan_id,
        "status": plan.status.value,
        "risk": plan.risk_level.value,
        "where": " / ".join(filter(None, (plan.environment, plan.service))),
        "asked by": plan.requested_by,
        "version": f"{plan.version}, digest {short(plan.digest)}",
        "approvals needed": str(plan.approvals_required),
        "targets": "nobody can count them" if plan.unbounded else str(len(plan.targets)),
    }
    if plan.execution_id:
        facts["execution"] = plan.execution_id
    if undone := plan.meta.get("undoes"):
        facts["goes back on"] = f"{undone}; if a step fails, nothing is done again"
    if not plan.trusted:
        facts["trust"] = "it came from outside, unproven"
    left = len(plan.steps) - _MOST_STEPS
    lines = [_step(each) for each in plan.steps[:_MOST_STEPS]]
    if left > 0:
        lines.append(f"and {left} more steps, which are not shown here")
    is_open = plan.status is PlanStatus.AWAITING_APPROVAL
    question = Question(plan_id=plan.plan_id, digest=plan.digest) if is_open else None
    return Reply(title=plan.summary, facts=facts, lines=tuple(lines), question=question)


def execution_reply(found: ExecutionView) -> Reply:
    """Return how far a run has come."""
    facts = {
        "execution": found.execution_id,
        "plan": found.plan_id,
        "status": "paused" if found.paused else found.status.value,
        "done": f"{found.percent} %",
        "asked by": found.requested_by,
    }
    lines = [f"{each.stage} {each.id}: {each.tool}.{each.action}, {each.status.value}" for each in found.steps]
    return Reply(title="How far it has come", facts=facts, lines=tuple(lines[:_MOST_STEPS]))


def decided_reply(approval: Approval, said: str) -> Reply:
    """Return what became of a question with a person's answer."""
    facts = {
        "plan": approval.plan_id,
        "version": f"{approval.version}, digest {short(approval.digest)}",
        "agreed": f"{approval.granted} of {approval.required}",
        "approval": approval.status.value,
    }
    return Reply(title=f"You have {said} this: {approval.summary}", facts=facts)


def refused_reply(problem: Problem) -> Reply:
    """Return why something was not done, with the stable code that the API would give."""
    reasons = problem.facts.get("reasons") if isinstance(problem, PolicyDenied) else None
    said = [f"{each.get('guard')}: {each.get('reason')}" for each in reasons] if isinstance(reasons, list) else []
    said += [f"{fault.pointer}: {fault.detail}" for fault in problem.faults]
    known = problem.facts.get("known")
    if problem.code == "chat-command-unknown" and isinstance(known, tuple):
        said += [f"/carapulse {USAGE[each]}" for each in known]
    return Reply(title=f"Not done: {problem.detail}", lines=tuple(said), code=problem.code)


def _line(plan: PlanSummary) -> str:
    where = " / ".join(filter(None, (plan.environment, plan.service)))
    state = "waits for an answer" if plan.status is PlanStatus.AWAITING_APPROVAL else "may be executed"
    return f"{plan.plan_id} ({plan.risk_level.value}, {where}) {state}: {plan.summary}"


def _step(step: PlanStep) -> str:
    value = json.dumps(redacted(step.input), ensure_ascii=False, sort_keys=True)
    shown = value if len(value) <= _LONGEST_INPUT else f"{value[:_LONGEST_INPUT]}… (cut off)"
    back = f"; no way back: {step.no_undo}" if step.no_undo else ""
    return f"{step.stage} {step.id}: {step.tool}.{step.action} ({step.risk.value}) {shown}{back}"
