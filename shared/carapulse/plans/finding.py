"""Every fault of the steps of a request, told once, and at the place where the request has to be changed."""

from collections.abc import Iterator, Sequence

from carapulse.kernel.context import Context
from carapulse.kernel.errors import Fault
from carapulse.plans.checking import json_faults, step_faults
from carapulse.plans.fanning import Asked, each_faults, made_of, references_of, value_faults
from carapulse.plans.order import Order
from carapulse.plans.ports import Actions
from carapulse.plans.references import References
from carapulse.plans.requests import StepRequest


def faults_of(steps: Sequence[StepRequest], catalogue: Actions, context: Context) -> Iterator[Fault]:
    """Yield what is wrong with the steps: with their order, with what they refer to, and with each by itself."""
    order = Order.of(steps)
    yield from order.faults()
    yield from References(order).faults()
    for number, (step_id, step) in enumerate(zip(order.ids, steps, strict=True)):
        pointer = f"/steps/{number}"
        misplaced = tuple(each_faults(step, pointer))
        yield from misplaced
        if step.for_each is None or step.pauses:
            yield from step_faults(step, pointer, catalogue, context)
        elif not misplaced:
            yield from _member_faults(step, tuple(made_of(step_id, number, step)), catalogue, context)


def _member_faults(
    step: StepRequest, members: Sequence[Asked], catalogue: Actions, context: Context
) -> Iterator[Fault]:
    """Yield what is wrong with all members as a fault of the step, and the rest as one of the value."""
    found: list[tuple[Asked, tuple[Fault, ...]]] = []
    for member in members:
        lacking = (*_unfit_value(step, member), *value_faults(member, step))
        yield from lacking
        if not lacking:
            found.append((member, tuple(step_faults(member.step, member.pointer, catalogue, context))))
    shared = _shared(
        [faults for _, faults in found], [f"{members[0].pointer}/{place}" for place, _ in references_of(step)]
    )
    yield from shared
    for member, faults in found:
        yield from (_of_value(fault, member) for fault in faults if fault not in shared)


def _shared(found: Sequence[Sequence[Fault]], filled: Sequence[str]) -> tuple[Fault, ...]:
    """Return the faults that every member has, at places that are the same for all of them."""
    all_over = (fault for fault in (found[0] if found else ()) if all(fault in faults for faults in found))
    return tuple(fault for fault in dict.fromkeys(all_over) if not _is_within(fault.pointer, filled))


def _unfit_value(step: StepRequest, member: Asked) -> Iterator[Fault]:
    if step.for_each is not None and member.value is not None:
        yield from json_faults(step.for_each.values[member.value], member.value_pointer)


def _is_within(pointer: str, places: Sequence[str]) -> bool:
    return any(f"{pointer}/".startswith(f"{place}/") for place in places)


def _of_value(fault: Fault, member: Asked) -> Fault:
    place = fault.pointer.removeprefix(f"{member.pointer}/")
    return Fault(pointer=member.value_pointer, code=fault.code, detail=f"{place}: {fault.detail}")
