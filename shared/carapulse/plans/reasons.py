"""Why something that was to become a plan did not."""

from pydantic import TypeAdapter

from carapulse.kernel.errors import Problem
from carapulse.kernel.record import Record
from carapulse.policy import model as policy
from carapulse.policy.errors import PolicyDenied

_GUARDS: TypeAdapter[tuple[policy.Reason, ...]] = TypeAdapter(tuple[policy.Reason, ...])


class Reason(Record):
    """Why an alert, or a schedule, did not become a plan."""

    code: str
    detail: str
    pointer: str | None = None


def reasons_of(problem: Problem) -> tuple[Reason, ...]:
    """Return a problem as the reasons that an operator reads: what it says, then each guard's word and each fault."""
    guards = _GUARDS.validate_python(problem.facts["reasons"]) if isinstance(problem, PolicyDenied) else ()
    return (
        Reason(code=problem.code, detail=problem.detail),
        *(Reason(code=said.guard, detail=said.reason) for said in guards),
        *(Reason(code=fault.code, detail=fault.detail, pointer=fault.pointer) for fault in problem.faults),
    )
