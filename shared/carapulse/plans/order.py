"""Whether steps can be put in an order: their ids, their stages, and what waits for what."""

from collections.abc import Iterator, Mapping, Sequence

from carapulse.kernel.errors import Fault
from carapulse.plans.requests import StepRequest


def ids_of(steps: Sequence[StepRequest]) -> tuple[str, ...]:
    """Return an id for each step: its own, or else `s` and its number, or the next number that is free."""
    taken = {step.id for step in steps if step.id}
    ids: list[str] = []
    for number, step in enumerate(steps, start=1):
        chosen = step.id or _free(number, taken)
        taken.add(chosen)
        ids.append(chosen)
    return tuple(ids)


def order_faults(steps: Sequence[StepRequest]) -> Iterator[Fault]:
    """Yield what keeps the steps from being ordered: ids given twice, unknown dependencies, cycles, wrong stages."""
    ids = ids_of(steps)
    waits = dict(zip(ids, (step.depends_on for step in steps), strict=True))
    stages = dict(zip(ids, (step.stage for step in steps), strict=True))
    for number, (step_id, step) in enumerate(zip(ids, steps, strict=True)):
        pointer = f"/steps/{number}"
        if step_id in ids[:number]:
            yield Fault(pointer=f"{pointer}/id", code="duplicate-id", detail=f"another step is called {step_id}")
        for place, other in enumerate(step.depends_on):
            where = f"{pointer}/depends_on/{place}"
            if other not in stages:
                yield Fault(pointer=where, code="unknown-dependency", detail=f"no step is called {other}")
            elif stages[other].rank > step.stage.rank:
                detail = f"{other} is in the stage {stages[other]}, which comes after {step.stage}"
                yield Fault(pointer=where, code="against-stage-order", detail=detail)
        if step_id in _reached(step_id, waits):
            detail = f"{step_id} waits for itself"
            yield Fault(pointer=f"{pointer}/depends_on", code="cycle", detail=detail)


def _free(number: int, taken: set[str]) -> str:
    while f"s{number}" in taken:
        number += 1
    return f"s{number}"


def _reached(start: str, waits: Mapping[str, Sequence[str]]) -> set[str]:
    reached: set[str] = set()
    ahead = list(waits[start])
    while ahead:
        step_id = ahead.pop()
        if step_id not in reached:
            reached.add(step_id)
            ahead += waits.get(step_id, ())
    return reached
