"""Steps that wait: what they may say, and what they become."""

from collections.abc import Iterator, Sequence

from carapulse.kernel.errors import Fault
from carapulse.plans.constraints import Constraints
from carapulse.plans.fanning import Asked
from carapulse.plans.requests import StepRequest
from carapulse.plans.steps import PlanStep, Retry, Wait
from carapulse.tools.manifest import Action
from carapulse.tools.model import WAIT, Effect, Reversibility, Risk

_NOT_FOR_A_PAUSE = ("tool", "action", "input", "input_from", "expect", "undo", "retry", "for_each")


def pause_faults(step: StepRequest, pointer: str) -> Iterator[Fault]:
    """Yield what a step says that only lets time pass, although there is nothing it could mean."""
    for name in _NOT_FOR_A_PAUSE:
        if getattr(step, name):
            detail = "a step that waits until a moment, or for some seconds, does nothing else"
            yield Fault(pointer=f"{pointer}/{name}", code="nothing-but-waits", detail=detail)


def too_long_faults(steps: Sequence[StepRequest], constraints: Constraints) -> Iterator[Fault]:
    """Yield the steps that wait for as long as the whole run may take, or longer: nothing could come after them."""
    for number, step in enumerate(steps):
        if step.wait is not None and (step.wait.for_s or 0) >= constraints.deadline_s:
            detail = (
                f"the whole run may take {constraints.deadline_s} seconds; raise constraints.deadline_s or wait less"
            )
            yield Fault(pointer=f"/steps/{number}/wait/for_s", code="waits-too-long", detail=detail)


def check_faults(step: StepRequest, action: Action, pointer: str) -> Iterator[Fault]:
    """Yield why a step can't be asked again until it is as expected."""
    if step.wait is None:
        return
    if action.effect is not Effect.READ:
        detail = "only what reads is asked again and again"
        yield Fault(pointer=f"{pointer}/wait/check_s", code="check-of-a-write", detail=detail)
    if not (step.expect or action.expectations):
        detail = "what is waited for is said as an expectation"
        yield Fault(pointer=f"{pointer}/expect", code="no-expectation", detail=detail)


def pause(asked: Asked, wait: Wait, position: int, constraints: Constraints) -> PlanStep:
    """Return the step of a plan that lets time pass. `until` knows no length: it may take what the run may take."""
    step = asked.step
    return PlanStep(
        id=asked.id,
        name=step.name,
        stage=step.stage,
        position=position,
        tool=WAIT,
        action="until" if wait.for_s is None else "for",
        input={},
        depends_on=step.depends_on,
        undo=None,
        no_undo="it only waits",
        effect=Effect.READ,
        risk=Risk.READ,
        reversibility=Reversibility.NONE_NEEDED,
        idempotent=True,
        has_probe=False,
        timeout_s=wait.for_s or constraints.deadline_s,
        retry=Retry(),
        when=step.when,
        wait=wait,
        deadline_s=step.deadline_s,
        point_of_no_return=step.point_of_no_return,
    )
