"""How a version becomes an execution: its facts, its deadline and its terms. Pure."""

from datetime import datetime, timedelta

from carapulse.executions.events import ExecutionStarted
from carapulse.executions.model import StepFacts
from carapulse.kernel.call import Call
from carapulse.plans.model import PlanVersion
from carapulse.plans.steps import PlanStep


def started(
    execution_id: str, version: PlanVersion, call: Call, at: datetime, *, approval_id: str | None
) -> ExecutionStarted:
    """Return the start of the one execution of a version."""
    return ExecutionStarted(
        execution_id=execution_id,
        plan_id=version.plan_id,
        plan_version=version.version,
        digest=version.digest,
        approval_id=approval_id,
        requested_by=call.actor,
        deadline_at=at + timedelta(seconds=version.constraints.deadline_s),
        steps=tuple(map(_facts, version.steps)),
        undoes=version.undoes,
        hold=version.constraints.on_failure == "hold",
        max_concurrency=version.constraints.max_concurrency,
        groups=version.groups,
    )


def tried_out(execution_id: str, version: PlanVersion, call: Call, at: datetime) -> ExecutionStarted:
    """Return the start of a dry run. No step of it writes, so there is nothing to undo, to lock or to ask about."""
    event = started(execution_id, version, call, at, approval_id=None)
    harmless = {"writes": False, "undoable": False, "targets": ()}
    steps = tuple(facts.model_copy(update=harmless) for facts in event.steps)
    return event.model_copy(update={"dry_run": True, "undoes": None, "hold": False, "steps": steps})


def _facts(step: PlanStep) -> StepFacts:
    return StepFacts(
        id=step.id,
        stage=step.stage,
        position=step.position,
        depends_on=step.depends_on,
        writes=step.mutating,
        undoable=step.undo is not None,
        targets=step.targets,
        group=step.group,
        waits=step.wait is not None and step.wait.pauses,
    )
