"""Steps that let time pass, and steps that ask until it is as expected."""

import math

import pytest
from pydantic import ValidationError
from tests.builders.drafts import drafted, faults
from tests.builders.plans import GLANCE, LOOK, SWITCH

from carapulse.plans.model import Stage
from carapulse.tools.model import Effect, Reversibility, Risk

PAUSE = {"id": "pause", "stage": "act", "wait": {"for_s": 90}}
MOMENT = "2026-01-15T22:00:00+01:00"
EXPECT = [{"path": "on", "value": True}]


@pytest.mark.parametrize("stage", list(Stage))
@pytest.mark.parametrize(("wait", "action"), [({"for_s": 90}, "for"), ({"until": MOMENT}, "until")])
def test_time_may_pass_in_every_stage_without_any_tool(stage, wait, action):
    version = drafted(SWITCH, GLANCE, {**PAUSE, "stage": stage, "wait": wait})
    step = version.step("pause")

    assert (step.tool, step.action, step.input, step.targets) == ("wait", action, {}, ())
    assert (step.effect, step.risk, step.reversibility) == (Effect.READ, Risk.READ, Reversibility.NONE_NEEDED)
    assert (step.undo, step.no_undo, step.idempotent, step.has_probe) == (None, "it only waits", True, False)
    assert step.deadline_s is None
    assert set(version.tool_digests) == {"lamps"}


def test_a_wait_takes_as_long_as_it_says_and_one_until_a_moment_at_most_as_long_as_the_run():
    until = {"id": "until", "stage": "act", "wait": {"until": MOMENT}, "deadline_s": 5}
    version = drafted(PAUSE, until, constraints={"deadline_s": 600})

    assert [step.timeout_s for step in version.steps] == [90, 600]
    assert version.steps[1].deadline_s == 5
    assert version.steps[1].wait.until.isoformat() == "2026-01-15T21:00:00+00:00"


def test_a_plan_may_do_nothing_but_wait():
    assert drafted(PAUSE).tool_digests == {}


def test_waiting_verifies_nothing():
    assert faults(SWITCH, {**PAUSE, "stage": "verify"}) == [("/steps", "no-verify")]


@pytest.mark.parametrize(
    ("facts", "place"),
    [
        ({"tool": "lamps"}, "tool"),
        ({"tool": "wait"}, "tool"),
        ({"action": "for"}, "action"),
        ({"input": {"lamp": "hall"}}, "input"),
        ({"expect": EXPECT}, "expect"),
        ({"undo": "automatic"}, "undo"),
        ({"retry": {"attempts": 2}}, "retry"),
        ({"input_from": {"lamp": {"step": "see", "path": "x"}}}, "input_from"),
        ({"for_each": {"values": [1]}}, "for_each"),
    ],
)
def test_a_step_that_waits_does_nothing_else(facts, place):
    assert faults({**LOOK, "id": "see"}, {**PAUSE, **facts}) == [(f"/steps/1/{place}", "nothing-but-waits")]


@pytest.mark.parametrize(
    "wait",
    [
        {},
        {"for_s": 1, "until": MOMENT},
        {"for_s": 1, "check_s": 1},
        {"for_s": 0},
        {"for_s": 604_801},
        {"for_s": "1"},
        {"for_s": True},
        {"for_s": math.nan},
        {"for_s": math.inf},
        {"for_s": 1, "every_s": 2},
        {"check_s": 0},
        {"check_s": 86_401},
        {"check_s": 1, "every_s": 0.01},
        {"check_s": 1, "every_s": 3601},
        {"until": "2026-01-15T22:00:00"},
        {"until": "tomorrow"},
        {"until": "9999-12-31T23:00:00-05:00"},
        {"until": None},
    ],
)
def test_a_wait_is_for_one_thing_and_ends(wait):
    with pytest.raises(ValidationError, match="wait"):
        drafted({**PAUSE, "wait": wait})


@pytest.mark.parametrize("wait", [{"for_s": 604_799}, {"for_s": 0.001}, {"check_s": 86_400, "every_s": 0.05}])
def test_the_longest_and_the_shortest_waits_there_are(wait):
    step = {**LOOK, "expect": EXPECT, "wait": wait} if "check_s" in wait else {**PAUSE, "wait": wait}

    assert drafted(step, constraints={"deadline_s": 604_800}).steps[0].wait.model_dump(exclude_defaults=True) == wait


def test_a_step_that_reads_is_asked_again_until_it_is_as_expected():
    step = drafted({**LOOK, "expect": EXPECT, "wait": {"check_s": 60}}).steps[0]

    assert (step.tool, step.action, step.wait.check_s, step.wait.every_s) == ("lamps", "look", 60, 5)
    assert step.deadline_s == 60 + step.timeout_s


def test_what_the_action_itself_expects_is_waited_for_in_every_stage():
    step = drafted({**GLANCE, "stage": "diagnose", "wait": {"check_s": 60}}).steps[0]

    assert [each.path for each in step.expect] == ["on"]


@pytest.mark.parametrize(
    ("step", "expected"),
    [
        ({**SWITCH, "expect": EXPECT}, ("/steps/0/wait/check_s", "check-of-a-write")),
        (LOOK, ("/steps/0/expect", "no-expectation")),
        ({**LOOK, "stage": "verify"}, ("/steps/0/expect", "no-expectation")),
        ({**LOOK, "tool": None, "expect": EXPECT}, ("/steps/0/tool", "missing")),
        ({**LOOK, "tool": "wait", "expect": EXPECT}, ("/steps/0/tool", "unknown-tool")),
    ],
)
def test_only_what_reads_and_expects_something_is_asked_again(step, expected):
    found = faults({**step, "wait": {"check_s": 60}}, GLANCE)

    assert found == [expected]


@pytest.mark.parametrize(
    ("step", "deadline"),
    [
        (LOOK, 3 * 30 + 2 * (30 + 60)),  # what may be done again is tried three times if its worker is lost
        ({**LOOK, "retry": {"attempts": 1, "max_backoff_s": 9}}, 3 * 30 + 2 * (9 + 60)),
        ({**LOOK, "retry": {"attempts": 4, "max_backoff_s": 9}}, 4 * 30 + 3 * (9 + 60)),
        ({**LOOK, "deadline_s": 7.5}, 7.5),
    ],
)
def test_a_step_has_the_time_that_is_given_or_else_what_all_its_attempts_may_take(step, deadline):
    assert drafted(step).steps[0].deadline_s == deadline


@pytest.mark.parametrize("deadline", [0, -1, 604_801, math.nan, "9"])
def test_a_deadline_makes_sense(deadline):
    with pytest.raises(ValidationError, match="deadline_s"):
        drafted({**LOOK, "deadline_s": deadline})


@pytest.mark.parametrize("for_s", [600, 601])
def test_nobody_waits_for_as_long_as_the_whole_run_may_take(for_s):
    steps = (SWITCH, GLANCE, {**PAUSE, "wait": {"for_s": for_s}})

    assert faults(*steps, constraints={"deadline_s": 600}) == [("/steps/2/wait/for_s", "waits-too-long")]
    assert drafted(*steps, constraints={"deadline_s": 602}).steps[1].wait is not None


def test_a_run_may_take_a_week():
    version = drafted(SWITCH, GLANCE, constraints={"deadline_s": 604_800})

    assert version.constraints.deadline_s == 604_800
