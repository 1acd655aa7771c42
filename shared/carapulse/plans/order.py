"""Whether steps can be put in an order: their ids, their stages, and what waits for what."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Self

from carapulse.kernel.errors import Fault
from carapulse.plans.fanning import members_of
from carapulse.plans.requests import StepRequest

_LONGEST_ID = 63


def ids_of(steps: Sequence[StepRequest]) -> tuple[str, ...]:
    """Return an id for each step: its own, or else `s` and its number, or the next number that is free."""
    taken = {step.id for step in steps if step.id}
    ids: list[str] = []
    for number, step in enumerate(steps, start=1):
        chosen = step.id or _free(number, taken)
        taken.add(chosen)
        ids.append(chosen)
    return tuple(ids)


@dataclass(frozen=True, slots=True)
class Order:
    """The steps of a request and what waits for what. `meant`: by its id or that of a member, the step's number."""

    steps: Sequence[StepRequest]
    ids: tuple[str, ...]
    meant: Mapping[str, int]

    @classmethod
    def of(cls, steps: Sequence[StepRequest]) -> Self:
        """Return the order of these steps. Of two with the same id the first one is meant."""
        ids, meant = ids_of(steps), dict[str, int]()
        for number, (step_id, step) in enumerate(zip(ids, steps, strict=True)):
            for name in (step_id, *members_of(step_id, step)):
                meant.setdefault(name, number)
        return cls(steps, ids, meant)

    def faults(self) -> Iterator[Fault]:
        """Yield what keeps the steps from being ordered."""
        for number, step in enumerate(self.steps):
            yield from self._id_faults(number)
            for place, other in enumerate(step.depends_on):
                yield from self._dependency_faults(number, other, f"/steps/{number}/depends_on/{place}")
            if number in self._reached(number):
                detail = f"{self.ids[number]} waits for itself"
                yield Fault(pointer=f"/steps/{number}/depends_on", code="cycle", detail=detail)

    def before(self, number: int) -> frozenset[int]:
        """Return the steps that are over when a step begins: what it waits for, and the stages before its own."""
        rank = self.steps[number].stage.rank
        earlier = {other for other, step in enumerate(self.steps) if step.stage.rank < rank}
        return frozenset((earlier | self._reached(number)) - {number})

    def _id_faults(self, number: int) -> Iterator[Fault]:
        names = {self.ids[number], *members_of(self.ids[number], self.steps[number])}
        if any(self.meant[name] != number for name in names):
            detail = f"another step is called {self.ids[number]}, or would be"
            yield Fault(pointer=f"/steps/{number}/id", code="duplicate-id", detail=detail)
        if max(map(len, names)) > _LONGEST_ID:
            detail = f"with the number of each value this would be longer than {_LONGEST_ID} characters"
            yield Fault(pointer=f"/steps/{number}/id", code="id-too-long", detail=detail)

    def _dependency_faults(self, number: int, other: str, pointer: str) -> Iterator[Fault]:
        if other not in self.meant:
            yield Fault(pointer=pointer, code="unknown-dependency", detail=f"no step is called {other}")
            return
        there, here = self.steps[self.meant[other]].stage, self.steps[number].stage
        if there.rank > here.rank:
            detail = f"{other} is in the stage {there}, which comes after {here}"
            yield Fault(pointer=pointer, code="against-stage-order", detail=detail)

    def _reached(self, start: int) -> set[int]:
        reached: set[int] = set()
        ahead = [start]
        while ahead:
            waits = {self.meant[other] for other in self.steps[ahead.pop()].depends_on if other in self.meant}
            ahead += waits - reached
            reached |= waits
        return reached


def _free(number: int, taken: set[str]) -> str:
    while f"s{number}" in taken:
        number += 1
    return f"s{number}"
