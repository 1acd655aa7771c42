"""One step for each value: made when a plan is drafted, so that approvers see every one of them."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from carapulse.kernel.errors import Fault
from carapulse.kernel.pointers import escaped
from carapulse.plans.requests import StepRequest
from carapulse.plans.steps import UndoAction
from carapulse.tools.expressions import compiled, look_up

EACH = "$each"
_WHOLE = {"input", "undo/input"}


@dataclass(frozen=True, slots=True)
class Asked:
    """A step that is asked for, or one of those that are made of it: `number` is the step's place in the request."""

    id: str
    number: int
    step: StepRequest
    group: str | None = None
    value: int | None = None

    @property
    def pointer(self) -> str:
        """Where the request asks for it."""
        return f"/steps/{self.number}"

    @property
    def value_pointer(self) -> str:
        """Where the request names the value that it is made for."""
        return f"{self.pointer}/for_each/values/{self.value}"


def members_of(step_id: str, step: StepRequest) -> tuple[str, ...]:
    """Return the ids of the steps that a step is made into; its own, if it is not made into several."""
    if step.for_each is None:
        return (step_id,)
    return tuple(f"{step_id}-{number}" for number in range(1, len(step.for_each.values) + 1))


def fanned(ids: Sequence[str], steps: Sequence[StepRequest]) -> tuple[Asked, ...]:
    """Return every step that a plan will have. Who waits for a group waits for all of it."""
    groups = {step_id: members_of(step_id, step) for step_id, step in zip(ids, steps, strict=True)}
    return tuple(
        asked
        for number, (step_id, step) in enumerate(zip(ids, steps, strict=True))
        for asked in made_of(step_id, number, _waiting(step, groups))
    )


def made_of(step_id: str, number: int, step: StepRequest) -> Iterator[Asked]:
    """Yield the step, or what is made of it: one for each value, with the references to the value filled."""
    if step.for_each is None:
        yield Asked(step_id, number, step)
        return
    for place, (member, value) in enumerate(zip(members_of(step_id, step), step.for_each.values, strict=True)):
        facts: dict[str, Any] = {"input": _filled(step.input, value), "for_each": None}
        if isinstance(step.undo, UndoAction):
            facts["undo"] = step.undo.model_copy(update={"input": _filled(step.undo.input, value)})
        yield Asked(member, number, step.model_copy(update=facts), group=step_id, value=place)


def each_faults(step: StepRequest, pointer: str) -> Iterator[Fault]:
    """Yield where a step refers to a value that it does not have, or not as it may."""
    for where, found in references_of(step):
        yield from _reference_faults(step, found, f"{pointer}/{where}")
    for number, expected in enumerate(step.expect):
        for where, _ in references(expected.value, f"{pointer}/expect/{number}/value"):
            yield Fault(pointer=where, code="misplaced-each", detail=f"{EACH} stands in input only")


def references_of(step: StepRequest) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield every reference in a step's input and in its way back, with its place within the step."""
    yield from references(step.input, "input")
    if isinstance(step.undo, UndoAction):
        yield from references(step.undo.input, "undo/input")


def references(template: Any, pointer: str) -> Iterator[tuple[str, dict[str, Any]]]:  # noqa: ANN401 - any JSON value
    """Yield every reference to the value, with its place."""
    if isinstance(template, dict):
        if EACH in template:
            yield pointer, template
        else:
            for key, item in template.items():
                yield from references(item, f"{pointer}/{escaped(key)}")
    elif isinstance(template, list):
        for number, item in enumerate(template):
            yield from references(item, f"{pointer}/{number}")


def value_faults(asked: Asked, request: StepRequest) -> Iterator[Fault]:
    """Yield which references of the request find nothing fit in the value that a step is made for."""
    if request.for_each is None or asked.value is None:
        return
    value = request.for_each.values[asked.value]
    for where, reference in references_of(request):
        found = look_up(reference[EACH], value)
        if found is None:
            detail = f"{reference[EACH]} finds nothing in this value, and {where} needs it"
            yield Fault(pointer=asked.value_pointer, code="no-value", detail=detail)
        elif where in _WHOLE and not isinstance(found, dict):
            yield Fault(pointer=asked.value_pointer, code="type", detail=f"all of {where} is an object")


def _filled(template: Any, value: Any) -> Any:  # noqa: ANN401 - any JSON value
    if isinstance(template, dict):
        if EACH in template:
            return look_up(template[EACH], value)
        return {key: _filled(item, value) for key, item in template.items()}
    return [_filled(item, value) for item in template] if isinstance(template, list) else template


def _waiting(step: StepRequest, groups: Mapping[str, Sequence[str]]) -> StepRequest:
    names = (name for other in step.depends_on for name in groups.get(other, (other,)))
    return step.model_copy(update={"depends_on": tuple(dict.fromkeys(names))})


def _reference_faults(step: StepRequest, reference: dict[str, Any], where: str) -> Iterator[Fault]:
    if step.for_each is None:
        yield Fault(pointer=where, code="misplaced-each", detail=f"{EACH} has a meaning in a step with for_each only")
        return
    path = reference[EACH]
    try:
        if len(reference) > 1 or not isinstance(path, str):
            raise ValueError(f'a reference is {{"{EACH}": PATH}} and nothing else')  # noqa: TRY301 - told as the others
        compiled(path)
    except ValueError as error:
        yield Fault(pointer=where, code="bad-each", detail=str(error))
