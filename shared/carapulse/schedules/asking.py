"""Whether what a schedule asks for could be asked for now: its plan is drafted as it would be then, and thrown away."""

from carapulse.kernel.call import Call
from carapulse.kernel.errors import Fault, Invalid
from carapulse.kernel.ids import new_id
from carapulse.plans.drafting import Draft
from carapulse.plans.usecases import drafted
from carapulse.schedules.errors import ScheduleInvalid
from carapulse.schedules.model import ScheduleTerms
from carapulse.schedules.ports import SchedulePorts
from carapulse.workflows.errors import WorkflowNotFound, WorkflowVersionIsRetired, WorkflowVersionNotFound


def check_request(terms: ScheduleTerms, call: Call, ports: SchedulePorts) -> None:
    """Return if a plan can be drafted of what is asked for, or raise ScheduleInvalid with every fault's place."""
    inside = "" if terms.plan is None else "/plan"
    try:
        drafted(Draft(plan_id=new_id("plan"), request=terms.request), call, ports, ports.clock.now())
    except (WorkflowNotFound, WorkflowVersionNotFound, WorkflowVersionIsRetired) as problem:
        field = "name" if isinstance(problem, WorkflowNotFound) else "version"
        fault = Fault(pointer=f"{inside}/workflow/{field}", code=problem.code, detail=problem.detail)
        raise ScheduleInvalid("the workflow that it starts is not there", faults=(fault,)) from problem
    except Invalid as problem:
        faults = tuple(each.model_copy(update={"pointer": f"{inside}{each.pointer}"}) for each in problem.faults)
        raise ScheduleInvalid(problem.detail, faults=faults) from problem
