"""What can be asked of workflows. What can be asked of a tenant's own versions is in versions.py."""

import heapq
from itertools import islice

from pydantic import ValidationError

from carapulse.kernel.call import Call
from carapulse.kernel.cursor import Page
from carapulse.kernel.errors import Fault
from carapulse.plans.errors import PlanInvalid
from carapulse.plans.requests import CreatePlan, Origin, WorkflowRequest
from carapulse.plans.usecases import create_plan
from carapulse.plans.views import PlanView
from carapulse.workflows.errors import WorkflowInputInvalid, WorkflowNotFound
from carapulse.workflows.model import Workflow
from carapulse.workflows.ports import WorkflowFilter, WorkflowPorts
from carapulse.workflows.ready import Ready
from carapulse.workflows.requests import StartWorkflow

_HERE = Origin()


def list_workflows(wanted: WorkflowFilter, call: Call, ports: WorkflowPorts) -> Page[Workflow]:
    """Return the version of every workflow that is started now, in the order of names."""
    after, most = wanted.cursor or "", wanted.limit + 1
    with ports.begin(call) as work:
        own = {each.recipe.name: Ready.of(each) for each in work.own_versions.current(after, most)}
    builtin = ports.workflows.builtin.made
    names = heapq.merge(sorted(own), sorted(name for name in builtin if name > after and name not in own))
    found = [(own.get(name) or builtin[name]).shown() for name in islice(names, most)]
    data = tuple(found[: wanted.limit])
    return Page(data=data, next_cursor=data[-1].name if len(found) > wanted.limit else None)


def get_workflow(name: str, version: int | None, call: Call, ports: WorkflowPorts) -> Workflow:
    """Return the version of a workflow that is started now, or the one that is asked for."""
    with ports.begin(call) as work:
        return ports.workflows.find(name, version, work.own_versions).shown()


def start_workflow(
    name: str, command: StartWorkflow, call: Call, ports: WorkflowPorts, origin: Origin = _HERE
) -> PlanView:
    """Create the plan that a workflow makes. It is judged, and waits for people, like any other; nothing is run."""
    wanted = _wanted(name, command)
    try:
        expanded = ports.workflows.expand(wanted, command.context, call)
        meant = wanted.model_copy(update={"version": expanded.version})
        request = CreatePlan(
            summary=command.summary or ports.workflows.summary(meant, command.context, call),
            intent=command.intent,
            trigger="workflow",
            context=command.context,
            workflow=meant,
            constraints=command.constraints,
        )
        return create_plan(request, call, ports, origin)
    except (PlanInvalid, WorkflowInputInvalid) as problem:
        raise type(problem)(problem.detail, faults=_as_sent(problem.faults), **problem.facts) from problem


def _wanted(name: str, command: StartWorkflow) -> WorkflowRequest:
    """Return what is started; all but the name, which stood in the address, was found sound before."""
    try:
        return WorkflowRequest(name=name, input=command.input, version=command.version)
    except ValidationError as error:
        raise WorkflowNotFound("there is no such workflow", name=name) from error


def _as_sent(faults: tuple[Fault, ...]) -> tuple[Fault, ...]:
    """Return faults with pointers into the body of this request, which has no member `workflow`."""
    return tuple(each.model_copy(update={"pointer": each.pointer.removeprefix("/workflow")}) for each in faults)
