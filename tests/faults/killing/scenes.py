"""The two runs in which workers are killed: one that is undone at the end, and one with an effect nobody can look up."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tests.world.rig import Rig, act, check

from carapulse.plans.views import PlanView

_TWO_AT_ONCE: dict[str, Any] = {"constraints": {"max_concurrency": 2}, "environment": "prod"}


@dataclass(frozen=True)
class Scene:
    """A plan, and how the world is before it."""

    name: str
    plan: Callable[[Rig], PlanView]
    on: dict[str, bool] = field(default_factory=dict)
    busy: dict[str, int] = field(default_factory=dict)


def _look() -> dict[str, Any]:
    step = {"id": "look", "stage": "diagnose", "tool": "lamp", "action": "look", "input": {"lamp": "a"}}
    return step | {"retry": {"attempts": 3, "backoff_s": 0.02, "max_backoff_s": 0.05}}


def _fan(action: str, lamps: list[str]) -> dict[str, Any]:
    value = {"lamp": {"$each": "@"}} if action == "noop" else {"lamp": {"$each": "@"}, "lit": True}
    fan = {"values": lamps, "max_concurrency": 2}
    return act(action, "b", id="fan", depends_on=["first"]) | {"input": value, "for_each": fan}


def undone(rig: Rig) -> PlanView:
    """Change nine lamps, fail at the last look, and go back."""
    taken = act("switch", "h", id="taken", depends_on=["first"], input_from={"lit": {"step": "first", "path": "lit"}})
    taken["input"] = {"lamp": "h"}
    return rig.plan(
        _look(),
        act("switch", "a", id="first"),
        _fan("switch", ["b", "c", "d"]),
        act("toggle", "e", id="turn", depends_on=["first"]),
        act("switch", "f", id="busy"),
        act("switch", "g", id="conditional", when="steps.look.output.lit == `false`"),
        taken,
        act("switch", "i", id="more"),
        check("a", attempts=3),
        check("i", attempts=3),
        check("f", on=False, attempts=2),
        **_TWO_AT_ONCE,
    )


def kept(rig: Rig) -> PlanView:
    """Change lamps and ring a bell, which nobody can look up or repeat."""
    return rig.plan(
        _look(),
        act("switch", "a", id="first"),
        _fan("noop", ["b", "c"]),
        act("switch", "d", id="busy"),
        act("switch", "e", id="skipped", when="steps.look.output.lit == `true`"),
        act("ring", "f", id="bell", depends_on=["first"]),
        act("switch", "g", id="later", depends_on=["bell"]),
        check("a", attempts=3),
        check("d", attempts=3),
        **_TWO_AT_ONCE,
    )


SCENES = (
    Scene("undone", undone, on={"c": True}, busy={"PUT f": 1}),
    Scene("kept", kept, busy={"PUT d": 1}),
)
