"""The reads of one run, through the very path that steps of plans use, each asked of policy first."""

import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from carapulse.collection.definition import Definition, Read
from carapulse.collection.errors import (
    AnswerUnusable,
    CollectionInterrupted,
    CollectionTooLong,
    ReadDenied,
    ReadFailed,
    ReadNotWhole,
)
from carapulse.collection.model import Collector, Failure
from carapulse.collection.ports import CollectionPorts
from carapulse.kernel.call import Call
from carapulse.kernel.canonical import storable
from carapulse.kernel.errors import Problem
from carapulse.policy.document import Action, JudgedPlan, JudgedStep, PolicyInput
from carapulse.policy.usecases import judge
from carapulse.tools.expressions import look_up
from carapulse.tools.manifest import Retries
from carapulse.tools.model import Effect, Invocation, Outcome, OutcomeKind, Risk

Json = Any
LONGEST_S = 600.0
_READING = Action(name="collection.read", type="read", stage="diagnose")
_MOST_ASKED = 1000


@dataclass(frozen=True, slots=True)
class Ask:
    """One read action with its input, and which read of the collector it is."""

    name: str
    read: Read
    invocation: Invocation
    retries: Retries
    timeout_s: float


@dataclass(frozen=True, slots=True)
class Reader:
    """Makes the reads of one run."""

    definition: Definition
    collector: Collector
    call: Call
    ports: CollectionPorts
    ends_at: float = field(default_factory=lambda: time.monotonic() + LONGEST_S)

    @property
    def known(self) -> dict[str, Json]:
        """What expressions know besides answers."""
        return {"input": self.collector.input, "context": self.collector.context.model_dump(mode="json")}

    def place(self) -> str:
        """Return what tells this system from others of its kind; NoConnection if nothing is connected there."""
        chosen = self.ports.toolbox.connections.choose(self.definition.system, self.call.tenant, self.collector.context)
        found = look_up(self.definition.place, {**self.known, "connection": chosen.name})
        if not isinstance(found, str) or not found:
            raise AnswerUnusable("nothing tells this system from another of its kind")
        return found

    def asks(self) -> Iterator[Ask]:
        """Yield every read, once or for each element of its list."""
        left = _MOST_ASKED
        for name, read in self.definition.reads.items():
            action = self.ports.catalogue.action(self.definition.system, read.action)
            if action.effect is not Effect.READ:
                raise AnswerUnusable("the action is no read", action=read.action)
            for each in self._elements(read):
                if (left := left - 1) < 0:
                    raise CollectionTooLong(f"more than {_MOST_ASKED} reads would be needed")
                yield Ask(name, read, self._invocation(read, each), action.retries, action.timeout_s)

    def _elements(self, read: Read) -> list[Json]:
        found = look_up(read.each, self.known) if read.each else [None]
        return found if isinstance(found, list) else [None]

    def _invocation(self, read: Read, each: Json) -> Invocation:
        known = {**self.known, "each": each}
        given = {name: look_up(expression, known) for name, expression in read.input.items()}
        return Invocation(
            tool=self.definition.system,
            action=read.action,
            input={name: value for name, value in given.items() if value is not None},
            context=self.collector.context,
            tenant=self.call.tenant,
        )

    def answer(self, ask: Ask) -> Json | Failure:
        """Return what one read answers, all of it, or why there is no such answer."""
        said: str | None = None
        try:
            self._judge(ask.invocation)
            outcome = self._run(ask.invocation)
            said = outcome.text
            if outcome.kind is not OutcomeKind.SUCCEEDED or outcome.output is None:
                raise (ReadNotWhole if outcome.truncated else ReadFailed)(outcome.detail)
            if look_up(ask.read.whole, outcome.output) is not True:
                said = None
                raise ReadNotWhole(f"this does not hold of the answer: {ask.read.whole}")
            return storable(outcome.output)
        except CollectionInterrupted:
            raise
        except Problem as problem:
            return Failure.of(problem, ask.name, said)

    def _judge(self, invocation: Invocation) -> None:
        at = self.ports.clock.now()
        step = JudgedStep(
            tool=invocation.tool, action=invocation.action, effect="read", risk=Risk.READ.value, stage="diagnose"
        )
        asked = PolicyInput.of(
            self.call,
            _READING,
            invocation.context,
            at=at,
            plan=_plan(step, self.call.actor.id),
            standing=self.ports.calendar.rules(self.call.tenant, at).standing(invocation.context, at),
        )
        decision = judge(asked, self.ports.policy)
        if not decision.permits():
            reasons = "; ".join(f"{each.guard}: {each.reason}" for each in decision.reasons)
            raise ReadDenied(f"policy says no: {reasons}")

    def _run(self, invocation: Invocation) -> Outcome:
        left_s = self.ends_at - time.monotonic()
        if left_s <= 0:
            raise CollectionTooLong(f"a run may take {LONGEST_S:.0f} seconds")
        stopping = self.ports.stopping
        outcome = self.ports.toolbox.run(invocation, on_line=_unheard, cancelled=stopping, deadline_s=left_s)
        if stopping.is_set() and outcome.kind is not OutcomeKind.SUCCEEDED:
            raise CollectionInterrupted("the program is to end", name=self.collector.name)
        return outcome


def _unheard(_line: str) -> None:
    """Keep no line: what a read writes beside its answer is in its outcome, if it failed."""


def _plan(step: JudgedStep, asker: str) -> JudgedPlan:
    """Return the read as the plan that it would be, so that rules about steps hold for it."""
    return JudgedPlan(
        risk="read",
        targets=0,
        unbounded=False,
        blast_radius="namespace",
        trigger="scheduled",
        trusted=True,
        requested_by=asker,
        irreversible=False,
        steps=(step,),
    )
