"""What can be asked of workflows."""

from carapulse.kernel.call import Call
from carapulse.kernel.errors import Fault
from carapulse.plans.errors import PlanInvalid
from carapulse.plans.requests import CreatePlan, Origin, WorkflowRequest
from carapulse.plans.usecases import create_plan
from carapulse.plans.views import PlanView
from carapulse.workflows.errors import WorkflowInputInvalid
from carapulse.workflows.model import Workflow
from carapulse.workflows.ports import WorkflowPorts
from carapulse.workflows.requests import StartWorkflow

_HERE = Origin()


def list_workflows(ports: WorkflowPorts) -> tuple[Workflow, ...]:
    """Return every workflow, in the order of names."""
    return tuple(ports.workflows.describe(name) for name in ports.workflows.names())


def get_workflow(name: str, ports: WorkflowPorts) -> Workflow:
    """Return one workflow, or raise WorkflowNotFound."""
    return ports.workflows.describe(name)


def start_workflow(
    name: str, command: StartWorkflow, call: Call, ports: WorkflowPorts, origin: Origin = _HERE
) -> PlanView:
    """Create the plan that a workflow makes. It is judged, and waits for people, like any other; nothing is run."""
    try:
        ports.workflows.expand(name, command.input, command.context)
        request = CreatePlan(
            summary=command.summary or ports.workflows.summary(name, command.input, command.context),
            intent=command.intent,
            trigger="workflow",
            context=command.context,
            workflow=WorkflowRequest(name=name, input=command.input),
            constraints=command.constraints,
        )
        return create_plan(request, call, ports, origin)
    except (PlanInvalid, WorkflowInputInvalid) as problem:
        raise type(problem)(problem.detail, faults=_as_sent(problem.faults), **problem.facts) from problem


def _as_sent(faults: tuple[Fault, ...]) -> tuple[Fault, ...]:
    """Return faults with pointers into the body of this request, which has no member `workflow`."""
    return tuple(each.model_copy(update={"pointer": each.pointer.removeprefix("/workflow")}) for each in faults)
