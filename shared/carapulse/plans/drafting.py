"""From a raw request to a valid version of a plan. Every fault is collected; one fault refuses all of it."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

from carapulse.kernel.call import Call
from carapulse.kernel.errors import Fault
from carapulse.kernel.record import Record
from carapulse.plans.checking import json_faults, known
from carapulse.plans.errors import PlanInvalid
from carapulse.plans.fanning import Asked, fanned, members_of
from carapulse.plans.finding import faults_of
from carapulse.plans.model import BlastRadius, PlanVersion, WorkflowUse
from carapulse.plans.order import ids_of
from carapulse.plans.ports import Actions, Expanded
from carapulse.plans.requests import CreatePlan, Origin, StepRequest
from carapulse.plans.resolving import resolve_step
from carapulse.plans.steps import Group, PlanStep, Stage
from carapulse.plans.waiting import too_long_faults
from carapulse.tools.model import WAIT, Effect

MOST_STEPS = 200
_NAMESPACE_TARGETS = 10
_CLUSTER_TARGETS = 50


class Draft(Record):
    """Everything that a version is made from: the request, its workflow expanded, and where it came from."""

    plan_id: str
    version: int = 1
    request: CreatePlan
    expanded: Expanded | None = None
    origin: Origin = Origin()

    @property
    def steps(self) -> tuple[StepRequest, ...]:
        """The steps that are wanted."""
        return self.expanded.steps if self.expanded else self.request.steps or ()


def draft(wanted: Draft, call: Call, catalogue: Actions, at: datetime) -> PlanVersion:
    """Return the version, or raise PlanInvalid with the pointer of each fault."""
    faults = tuple(_faults(wanted, catalogue))
    if faults:
        raise PlanInvalid("the plan can't be made as it was asked for", faults=faults)
    request, ids = wanted.request, ids_of(wanted.steps)
    steps = _resolved(fanned(ids, wanted.steps), catalogue, request)
    targets = tuple(dict.fromkeys(name for step in steps for name in step.targets))
    unbounded = any(step.unbounded for step in steps)
    return PlanVersion(
        plan_id=wanted.plan_id,
        version=wanted.version,
        summary=request.summary,
        intent=request.intent,
        trigger=request.trigger,
        trusted=wanted.origin.trusted,
        context=request.context,
        constraints=request.constraints,
        steps=steps,
        groups=dict(_groups(ids, wanted.steps)),
        risk=max(step.risk for step in steps),
        targets=targets,
        unbounded=unbounded,
        blast_radius=blast_radius(len(targets), unbounded=unbounded),
        tool_digests={tool: catalogue.digest(tool) for tool in sorted(_tools(steps))},
        workflow=_workflow_use(wanted),
        meta=wanted.origin.meta,
        requested_by=call.actor.id,
        requested_for=call.actor.owner,
        authors=wanted.origin.authors,
        created_at=at.astimezone(UTC),
    )


def blast_radius(targets: int, *, unbounded: bool) -> BlastRadius:
    """Return how far a change reaches; what nobody can count reaches everything."""
    if unbounded or targets > _CLUSTER_TARGETS:
        return "account"
    return "namespace" if targets <= _NAMESPACE_TARGETS else "cluster"


def _faults(wanted: Draft, catalogue: Actions) -> Iterator[Fault]:
    if sum(len(members_of("", step)) for step in wanted.steps) > MOST_STEPS:
        yield Fault(pointer="/steps", code="too-many-steps", detail=f"a plan has at most {MOST_STEPS} steps")
        return
    found = [*_plan_faults(wanted.steps, catalogue), *faults_of(wanted.steps, catalogue, wanted.request.context)]
    found += too_long_faults(wanted.steps, wanted.request.constraints)
    if wanted.expanded:
        yield from (_in_workflow(fault, ids_of(wanted.steps)) for fault in found)
        yield from json_faults(wanted.request.workflow.input if wanted.request.workflow else {}, "/workflow/input")
    else:
        yield from found
    yield from json_faults(wanted.origin.meta, "/meta")


def _plan_faults(steps: Sequence[StepRequest], catalogue: Actions) -> Iterator[Fault]:
    if not steps:
        yield Fault(pointer="/steps", code="no-steps", detail="a plan has at least one step")
    changes = any(step.stage is Stage.ACT and _writes(step, catalogue) for step in steps)
    if changes and not any(step.stage is Stage.VERIFY and not step.pauses for step in steps):
        yield Fault(pointer="/steps", code="no-verify", detail="a plan that changes something verifies that it helped")


def _in_workflow(fault: Fault, ids: Sequence[str]) -> Fault:
    """Return a fault of an expanded step as one of what was asked for: the workflow's input."""
    _, _, number, *rest = [*fault.pointer.split("/"), ""]
    step = f"step {ids[int(number)]}" if number.isdecimal() else "the steps"
    detail = f"{step}: {'/'.join(part for part in rest if part)}: {fault.detail}"
    return Fault(pointer="/workflow/input", code=fault.code, detail=detail)


def _resolved(asked: Sequence[Asked], catalogue: Actions, request: CreatePlan) -> tuple[PlanStep, ...]:
    """Return the steps stage by stage, each stage in the order in which it was asked for."""
    in_order = sorted(asked, key=lambda each: each.step.stage.rank)
    return tuple(resolve_step(each, position, catalogue, request) for position, each in enumerate(in_order, start=1))


def _groups(ids: Sequence[str], steps: Sequence[StepRequest]) -> Iterator[tuple[str, Group]]:
    for step_id, step in zip(ids, steps, strict=True):
        if step.for_each is not None:
            limits = step.for_each
            yield step_id, Group(max_concurrency=limits.max_concurrency, max_failures=limits.max_failures)


def _writes(step: StepRequest, catalogue: Actions) -> bool:
    action = known(catalogue, *step.use) if step.use else None
    return action is not None and action.effect is not Effect.READ


def _tools(steps: Sequence[PlanStep]) -> set[str]:
    ways_back = {step.undo.tool for step in steps if step.undo is not None and step.undo != "automatic"}
    return {step.tool for step in steps if step.tool != WAIT} | ways_back


def _workflow_use(wanted: Draft) -> WorkflowUse | None:
    if wanted.expanded is None or wanted.request.workflow is None:
        return None
    expanded = wanted.expanded
    return WorkflowUse(
        name=expanded.name,
        version=expanded.version,
        digest=expanded.digest,
        input=wanted.request.workflow.input,
    )
