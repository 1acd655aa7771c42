"""Going back on a run that is over: a new plan of its ways back, judged, approved and executed like any other."""

from collections.abc import Iterator
from typing import Any, Protocol

from pydantic import Field

from carapulse.audit.model import EventFilter
from carapulse.executions.errors import AlreadyUndone, ExecutionNotOver, NothingToUndo
from carapulse.executions.events import UndoPlanned
from carapulse.executions.model import Effect, ExecutionState, Status
from carapulse.executions.outputs import outputs_of
from carapulse.executions.ports import ExecutionPorts, ExecutionSettings
from carapulse.executions.ways_back import Former, WaysBack, verified, ways_back
from carapulse.kernel.call import Call
from carapulse.kernel.record import Record
from carapulse.plans.constraints import Constraints
from carapulse.plans.model import Plan
from carapulse.plans.ports import PlanPorts
from carapulse.plans.requests import ClosePlan, CreatePlan, Origin, Text
from carapulse.plans.usecases import close_plan, create_plan
from carapulse.plans.views import PlanView
from carapulse.tools.catalogue import Catalogue

_SUMMARY = 200
_INTENT = 4000


class UndoExecution(Record):
    """Plan the way back from a run that is over."""

    note: Text | None = Field(default=None, description="why; it becomes part of the new plan's intent")


class UndoPorts(ExecutionPorts, PlanPorts, Protocol):
    """What it takes to read a run and to make a plan."""

    @property
    def catalogue(self) -> Catalogue:
        """Every action there is."""
        ...

    @property
    def settings(self) -> ExecutionSettings:
        """What the installation chose."""
        ...

    def begin(self, call: Call) -> Any:  # noqa: ANN401 - a unit of work that reaches executions and plans
        """Open a unit of work for the caller's tenant."""
        ...


def undo_execution(execution_id: str, command: UndoExecution, call: Call, ports: UndoPorts) -> PlanView:
    """Make a plan that goes back on everything that took effect in a run and that nothing has gone back on yet.

    What has no way back stays, and the new plan names it. ExecutionNotOver while the run may still undo by itself,
    AlreadyUndone if another plan goes back on it or has, NothingToUndo if it left nothing, or nothing that anybody can
    go back on and verify.
    """
    with ports.begin(call) as work:
        state = work.executions.get(execution_id)
        version = work.plans.version(state.plan_id, state.plan_version)
        _refuse_another(state, work)
        gone = _gone_back_on(state, work)
    outputs = outputs_of(execution_id, call, ports)
    if not state.over:
        raise ExecutionNotOver("cancel the execution instead", execution_id=execution_id, status=state.status)
    former = Former(state, version, outputs, gone)
    ways = ways_back(former, call, ports)
    if not ways.verifiable:
        raise NothingToUndo("there is nothing that can be gone back on", execution_id=execution_id, stays=ways.stays)
    meta = {"undoes": execution_id, "undoes_plan": state.plan_id, "undoes_steps": ways.undoes, "stays": ways.stays}
    origin = Origin(trusted=version.trusted, meta=meta)
    plan = create_plan(_request(former, ways, command), call, ports, origin)
    planned = UndoPlanned(execution_id=execution_id, undo_plan_id=plan.plan_id, stays=tuple(ways.stays))
    try:
        with ports.begin(call) as work:
            work.plans.lock(state.plan_id)  # of two who ask at once, one comes second, and sees the other's plan
            _refuse_another(state, work)
            work.record(state.plan_id, planned)
    except AlreadyUndone:
        close_plan(plan.plan_id, ClosePlan(reason=f"another plan goes back on {execution_id}"), call, ports)
        raise
    return plan


def _refuse_another(state: ExecutionState, work: Any) -> None:  # noqa: ANN401 - as above
    """Refuse if a plan that goes back on a run may still do so, or did so as a whole."""
    for plan in _plans_back(state, work):
        if plan.is_open or (plan.execution_id and work.executions.get(plan.execution_id).status is Status.SUCCEEDED):
            said = "another plan goes back on this execution, or has"
            raise AlreadyUndone(said, execution_id=state.id, undo_plan_id=plan.id)


def _gone_back_on(state: ExecutionState, work: Any) -> frozenset[str]:  # noqa: ANN401 - as above
    """Return the steps that other runs went back on for sure: what they did is verified, and nobody went back on it."""
    found: set[str] = set()
    for back, undoes in _runs_back(state, work):
        again = {undone for other, its in _runs_back(back, work) for undone in _touched(other, its)}
        found |= {undoes[name] for name in verified(back) - again if name in undoes}
    return frozenset(found)


def _touched(state: ExecutionState, undoes: dict[str, str]) -> Iterator[str]:
    """Yield the steps that a run has gone back on, or may have."""
    for step in state.steps:
        if step.run.effect is not Effect.NONE and step.facts.id in undoes:
            yield undoes[step.facts.id]


def _runs_back(state: ExecutionState, work: Any) -> Iterator[tuple[ExecutionState, dict[str, str]]]:  # noqa: ANN401 - as above
    """Yield the runs that went back on one, each with what its steps went back on."""
    for plan in _plans_back(state, work):
        if plan.execution_id is not None:
            run = work.executions.get(plan.execution_id)
            yield run, work.plans.version(plan.id, run.plan_version).meta.get("undoes_steps", {})


def _plans_back(state: ExecutionState, work: Any) -> Iterator[Plan]:  # noqa: ANN401 - as above
    """Yield the plans that go back on a run, the newest first."""
    cursor = None
    while True:
        wanted = EventFilter(stream=state.plan_id, type=UndoPlanned.__name__, cursor=cursor)
        page = work.evidence.page(wanted)
        for planned in page.data:
            if planned.body["execution_id"] == state.id:
                yield work.plans.get(planned.body["undo_plan_id"])
        cursor = page.next_cursor
        if cursor is None:
            return


def _request(former: Former, ways: WaysBack, command: UndoExecution) -> CreatePlan:
    said = [f"Goes back on {former.state.id} of {former.state.plan_id}."]
    said += [command.note] if command.note else []
    said += [f"{name} stays as it is: {why}." for name, why in ways.stays.items()]
    return CreatePlan(
        summary=f"Undo: {former.version.summary}"[:_SUMMARY].rstrip(),
        intent=" ".join(said)[:_INTENT],
        context=former.version.context,
        steps=(*ways.steps, *ways.checks),
        constraints=Constraints(deadline_s=former.version.constraints.deadline_s),
    )
