"""Plans of every shape: what a property test draws, and the steps that are made of it.

What a shape promises is kept beside the steps as it was asked for, so that nothing of the program's own has to be
believed to tell whether a promise was kept.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from hypothesis import strategies as st
from tests.builders.walking import GROUPS
from tests.world.rig import act, check, everywhere, look

from carapulse.executions.model import StepStatus
from carapulse.plans.steps import Group

CHECK_S, EVERY_S = 100, 20
LIGHTS = {"switch", "toggle"}


@dataclass(frozen=True)
class Piece:
    """A change as it is drawn, or a wait. Numbers are of earlier pieces; those that aren't there mean nothing."""

    action: str
    wide: int = 0
    group: Group = field(default_factory=Group)
    after: tuple[int, ...] = ()
    when: tuple[str, int] | None = None
    takes: int | None = None
    wait_s: int = 0
    until: bool = False
    within_s: int | None = None


@dataclass(frozen=True)
class Drawn:
    """A plan as it is drawn.

    `seen`: a lamp is looked at first, which is on or off. `awaited`: another one is waited for, and whether somebody
    lights it in the end. `chained`: each piece waits for the one before it. `on`: whether it will help.
    """

    pieces: tuple[Piece, ...]
    chained: bool
    seen: bool
    awaited: bool | None
    patient: bool
    on: bool


@dataclass(frozen=True)
class Condition:
    """Whether a step is done: if another came out as it should, or if the lamp that is looked at first is on or off."""

    step: str
    wanted: str

    @property
    def text(self) -> str:
        """The condition as a plan says it."""
        name = f'steps."{self.step}"'
        return {
            "lit": f"{name}.output.lit",
            "dark": f"{name}.output.lit == `false`",
            "done": f"{name}.status == 'succeeded'",
            "not done": f"{name}.status != 'succeeded'",
        }[self.wanted]

    def holds(self, status: StepStatus, *, seen: bool) -> bool:
        """Return whether it does, from how the other step stands and how the lamp was."""
        done = status is StepStatus.SUCCEEDED
        return {"lit": seen, "dark": not seen, "done": done, "not done": not done}[self.wanted]


@dataclass
class Shape:
    """The steps, and what they promise. By the id of a step, or of what is made of it: its lamp, and the rest."""

    prefix: str
    now: datetime
    drawn: Drawn
    steps: list[dict[str, Any]] = field(default_factory=list)
    lamps: dict[str, tuple[str, str]] = field(default_factory=dict)
    members: dict[str, tuple[str, ...]] = field(default_factory=dict)
    groups: dict[str, Group] = field(default_factory=dict)
    after: dict[str, set[str]] = field(default_factory=dict)
    conditions: dict[str, Condition] = field(default_factory=dict)
    sources: dict[str, str] = field(default_factory=dict)
    pauses: dict[str, tuple[float, datetime | None]] = field(default_factory=dict)
    hasty: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self._add(look(self.seen, id="see"))
        if self.drawn.awaited is not None:
            lit = [{"path": "lit", "op": "eq", "value": True}]
            self._add(look(self.awaited, id="ready", expect=lit, wait={"check_s": CHECK_S, "every_s": EVERY_S}))
        for number, piece in enumerate(self.drawn.pieces):
            self._add(self._step(number, piece))
        first = self.lamps[self.members["s0"][0]][0]
        last = check(first, on=self.first_lit == self.drawn.on)
        if self.drawn.patient:
            last |= {"retry": None, "wait": {"check_s": CHECK_S, "every_s": EVERY_S}}
        self._add({**last, "id": "last"})

    @property
    def seen(self) -> str:
        """The lamp that is looked at first. Nobody changes it."""
        return f"{self.prefix}-seen"

    @property
    def awaited(self) -> str:
        """The lamp that somebody has to light before anything is done."""
        return f"{self.prefix}-awaited"

    @property
    def first_lit(self) -> bool:
        """Whether the first lamp is on, if all goes well."""
        condition = self.conditions.get(self.members["s0"][0])
        done = condition is None or condition.holds(StepStatus.SUCCEEDED, seen=self.drawn.seen)
        return done and self.gives("s0")

    def gives(self, step: str) -> bool:
        """Return what a step's output says of its lamp, if it has one."""
        if step == "see":
            return self.drawn.seen
        if step in self.sources:
            return self.gives(self.sources[step])
        return self.drawn.pieces[int(step[1:])].action in LIGHTS

    def before(self, step: str) -> set[str]:
        """Return everything that a step waits for, also by way of others, within its stage."""
        reached: set[str] = set()
        ahead = [step]
        while ahead:
            new = self.after.get(ahead.pop(), set()) - reached
            reached |= new
            ahead += new
        return reached

    def _add(self, step: dict[str, Any]) -> None:
        name = step["id"]
        wide = len(step.get("for_each", {}).get("values", ()))
        self.members[name] = tuple(f"{name}-{number + 1}" for number in range(wide)) or (name,)
        waits = {member for other in step.get("depends_on", ()) for member in self.members[other]}
        self.after |= dict.fromkeys(self.members[name], waits)
        self.steps.append(step)

    def _step(self, number: int, piece: Piece) -> dict[str, Any]:
        after = {*piece.after, *([number - 1] if self.drawn.chained else [])}
        name, earlier = f"s{number}", [f"s{other}" for other in sorted(after) if 0 <= other < number]
        members = tuple(f"{name}-{place + 1}" for place in range(piece.wide)) or (name,)
        extra = dict(self._references(number, piece, members, earlier))
        step = self._pause(name, piece) if piece.action == "wait" else self._change(name, piece, members, extra)
        return {**step, **extra, "depends_on": earlier}

    def _pause(self, name: str, piece: Piece) -> dict[str, Any]:
        until = self.now + timedelta(seconds=piece.wait_s) if piece.until else None
        self.pauses[name] = (piece.wait_s, until)
        step: dict[str, Any] = {"stage": "act", "id": name}
        step["wait"] = {"until": until.isoformat()} if until else {"for_s": piece.wait_s}
        if piece.within_s is not None and not until and piece.within_s < piece.wait_s:
            self.hasty.add(name)
            step["deadline_s"] = piece.within_s
        return step

    def _change(self, name: str, piece: Piece, members: tuple[str, ...], extra: dict[str, Any]) -> dict[str, Any]:
        lamps = [f"{self.prefix}-{member}" for member in members]
        self.lamps |= {member: (lamp, piece.action) for member, lamp in zip(members, lamps, strict=True)}
        if piece.wide:
            self.groups[name] = piece.group
            step = everywhere(*lamps, action=piece.action, name=name, **piece.group.model_dump())
        else:
            step = act(piece.action, lamps[0], id=name)
        step["input"] = {key: value for key, value in step["input"].items() if key not in extra.get("input_from", {})}
        return step

    def _references(
        self, number: int, piece: Piece, members: tuple[str, ...], earlier: list[str]
    ) -> Iterator[tuple[str, Any]]:
        """Yield what a step wants to know of others, and have it wait for those that it would else not find over."""
        if piece.when is not None:
            wanted, other = piece.when
            named = f"s{other}" if wanted.endswith("done") and other < number else "see"
            condition = Condition(self.members[named][0], wanted)
            self.conditions |= dict.fromkeys(members, condition)
            earlier += [named] if named not in {"see", *earlier} else []
            yield "when", condition.text
        if piece.takes is not None and piece.action == "switch":
            named = f"s{piece.takes}"
            plain = piece.takes < number and self.drawn.pieces[piece.takes]
            source = named if plain and not plain.wide and plain.action != "wait" else "see"
            self.sources |= dict.fromkeys(members, source)
            earlier += [source] if source not in {"see", *earlier} else []
            yield "input_from", {"lit": {"step": source, "path": "lit"}}


_EARLIER = st.integers(0, 2)
_REFERENCES = {
    "after": st.lists(_EARLIER, max_size=2).map(tuple),
    "when": st.sampled_from([None] * 6 + ["lit", "dark", "done", "not done"]).flatmap(
        lambda wanted: st.none() if wanted is None else st.tuples(st.just(wanted), _EARLIER)
    ),
}
CHANGES = st.builds(
    Piece,
    action=st.sampled_from(["switch", "switch", "toggle", "ring", "noop"]),
    wide=st.sampled_from([0, 2, 3]),
    group=GROUPS,
    takes=st.sampled_from([None, 0, 1, 2]),
    **_REFERENCES,
)
WAITS = st.builds(
    Piece,
    action=st.just("wait"),
    wait_s=st.sampled_from([20, 50, 100]),
    until=st.booleans(),
    within_s=st.sampled_from([None, None, 10, 40]),
    **_REFERENCES,
)
DRAWN = st.builds(
    Drawn,
    pieces=st.builds(lambda first, more: (first, *more), CHANGES, st.lists(CHANGES | WAITS, max_size=3)),
    chained=st.booleans(),
    seen=st.booleans(),
    awaited=st.sampled_from([None, None, None, None, True, False]),
    patient=st.booleans(),
    on=st.sampled_from([True, True, True, False]),
)
