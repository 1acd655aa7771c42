"""One step for each value: every one of them is in the plan that people agree to."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError
from tests.builders.drafts import drafted, faults
from tests.builders.plans import GLANCE, LOOK, NOTE, SWITCH

from carapulse.plans.drafting import MOST_STEPS
from carapulse.plans.model import Group
from carapulse.tools.model import Risk

LAMPS = st.lists(st.from_regex(r"[a-z]{1,9}", fullmatch=True), min_size=1, max_size=100)


def each(*values, step=SWITCH, **facts):
    fan = {"values": list(values), **facts.pop("fan", {})}
    return {**step, "id": "fan", "input": {"lamp": {"$each": "@"}, "on": True}, "for_each": fan, **facts}


def test_a_step_becomes_one_for_each_value():
    version = drafted(
        {**LOOK, "id": "see"}, each("hall", "attic", fan={"max_concurrency": 2, "max_failures": 1}), GLANCE
    )
    members = version.steps[1:3]

    assert [step.id for step in version.steps] == ["see", "fan-1", "fan-2", "s3"]
    assert [step.position for step in version.steps] == [1, 2, 3, 4]
    assert [step.input for step in members] == [{"lamp": "hall", "on": True}, {"lamp": "attic", "on": True}]
    assert [step.group for step in version.steps] == [None, "fan", "fan", None]
    assert version.groups == {"fan": Group(max_concurrency=2, max_failures=1)}
    assert version.targets == ("lamps:hall", "lamps:attic")


@settings(max_examples=30, deadline=None)
@given(LAMPS)
def test_approvers_see_every_target(lamps):
    version = drafted(each(*lamps), GLANCE)

    assert version.targets == tuple(dict.fromkeys(f"lamps:{lamp}" for lamp in lamps))
    assert len(version.steps) == len(lamps) + 1


def test_a_value_may_have_parts_and_stand_at_any_depth():
    values = [{"name": "hall", "near": ["attic"]}, {"name": "cellar", "near": ["porch", "shed"]}]
    step = each(*values, input={"lamps": [{"$each": "name"}, {"$each": "near[0]"}], "on": True})

    assert [each.input["lamps"] for each in drafted(step, GLANCE).steps[:2]] == [["hall", "attic"], ["cellar", "porch"]]


def test_a_way_back_that_is_spelled_out_is_filled_too():
    undo = {"tool": "lamps", "action": "note", "input": {"lamp": {"$each": "@"}}}
    version = drafted(each("hall", "attic", undo=undo), GLANCE)

    assert [step.undo.input for step in version.steps[:2]] == [{"lamp": "hall"}, {"lamp": "attic"}]


def test_a_value_may_be_all_of_the_input_if_it_is_an_object():
    whole = each({"lamp": "hall", "on": True}, input={"$each": "@"})

    assert drafted(whole, GLANCE).steps[0].input == {"lamp": "hall", "on": True}
    assert faults(each("hall", input={"$each": "@"}), GLANCE) == [("/steps/0/for_each/values/0", "type")]
    undo = {"tool": "lamps", "action": "note", "input": {"$each": "@"}}
    assert faults(each("hall", undo=undo), GLANCE) == [("/steps/0/for_each/values/0", "type")]


def test_a_value_is_never_read_as_a_reference():
    found = faults(each({"$each": "@"}), GLANCE)

    assert found == [("/steps/0/for_each/values/0", "type")]


def test_risk_is_that_of_the_most_dangerous_value():
    step = each({"on": True}, {"on": False}, input={"lamp": "hall", "on": {"$each": "on"}})
    version = drafted(step, GLANCE)

    assert [each.risk for each in version.steps[:2]] == [Risk.LOW, Risk.HIGH]


def test_who_depends_on_a_group_waits_for_all_of_it_or_for_the_one_that_is_named():
    after = {**NOTE, "stage": "act", "id": "after", "depends_on": ["fan", "fan-1"]}
    one = {**NOTE, "stage": "act", "id": "one", "depends_on": ["fan-2"]}
    version = drafted(each("hall", "attic"), after, one, GLANCE)

    assert version.step("after").depends_on == ("fan-1", "fan-2")
    assert version.step("one").depends_on == ("fan-2",)


def test_every_member_waits_for_what_the_step_waits_for():
    version = drafted({**SWITCH, "id": "first"}, each("hall", "attic", depends_on=["first"]), GLANCE)

    assert [version.step(name).depends_on for name in ("fan-1", "fan-2")] == [("first",), ("first",)]


@pytest.mark.parametrize("name", ["fan", "fan-2"])
def test_a_circle_through_a_group_is_refused(name):
    other = {**SWITCH, "id": "other", "depends_on": [name]}

    assert faults(each("hall", "attic", depends_on=["other"]), other, GLANCE) == [
        ("/steps/0/depends_on", "cycle"),
        ("/steps/1/depends_on", "cycle"),
    ]


@pytest.mark.parametrize("name", ["fan", "fan-1"])
def test_a_group_does_not_wait_for_itself(name):
    assert faults(each("hall", "attic", depends_on=[name]), GLANCE) == [("/steps/0/depends_on", "cycle")]


def test_who_waits_for_a_group_is_not_in_an_earlier_stage():
    early = {**LOOK, "depends_on": ["fan"]}

    assert faults(early, each("hall"), GLANCE) == [("/steps/0/depends_on/0", "against-stage-order")]


@pytest.mark.parametrize("name", ["fan", "fan-1"])
def test_no_other_step_is_called_as_a_group_or_one_of_it(name):
    assert faults(each("hall"), {**SWITCH, "id": name}, GLANCE) == [("/steps/1/id", "duplicate-id")]


def test_a_member_s_id_is_no_longer_than_others():
    assert drafted(each("hall", id="a" * 61), GLANCE)
    assert faults(each("hall", id="a" * 62), GLANCE) == [("/steps/0/id", "id-too-long")]


def test_a_plan_has_at_most_200_steps_however_they_are_asked_for():
    hundred = [f"lamp-{number}" for number in range(100)]

    assert len(drafted(each(*hundred), each(*hundred[1:], id="more"), GLANCE).steps) == MOST_STEPS
    assert faults(each(*hundred), each(*hundred, id="more"), GLANCE) == [("/steps", "too-many-steps")]


@pytest.mark.parametrize(
    ("values", "path", "expected"),
    [
        (["hall", "x\x00"], "@", ("/steps/0/for_each/values/1", "control-character")),
        (["hall", 2**60], "@", ("/steps/0/for_each/values/1", "not-exact")),
        (["hall", 5], "@", ("/steps/0/for_each/values/1", "type")),
        ([5], "@", ("/steps/0/for_each/values/0", "type")),
        (["hall", None], "@", ("/steps/0/for_each/values/1", "no-value")),
        ([{"n": "hall"}, {"m": "attic"}], "n", ("/steps/0/for_each/values/1", "no-value")),
    ],
)
def test_a_fault_of_one_value_is_told_as_that(values, path, expected):
    step = each(*values, input={"lamp": {"$each": path}, "on": True})

    assert faults(step, GLANCE) == [expected]


def test_a_value_that_leads_out_of_the_plan_s_context_is_refused():
    step = each("shop", "bank", input={"lamp": "hall", "on": True, "namespace": {"$each": "@"}})

    assert faults(step, GLANCE) == [("/steps/0/for_each/values/1", "outside-context")]


def test_a_fault_that_all_have_is_told_once_as_one_of_the_step():
    step = each("hall", "attic", input={"lamp": {"$each": "@"}, "colour": "red"})

    assert faults(step, GLANCE) == [("/steps/0/input/colour", "unknown-field"), ("/steps/0/input/on", "missing")]


@pytest.mark.parametrize("reference", [{"$each": "["}, {"$each": 1}, {"$each": "@", "or": 1}, {"$each": None}])
def test_what_is_no_reference_is_refused(reference):
    step = each("hall", input={"lamp": reference, "on": True})

    assert faults(step, GLANCE) == [("/steps/0/input/lamp", "bad-each")]


def test_without_values_there_is_nothing_to_refer_to():
    alone = {**SWITCH, "input": {"lamp": {"$each": "@"}, "on": True}}

    assert ("/steps/0/input/lamp", "misplaced-each") in faults(alone, GLANCE)


def test_an_expectation_refers_to_no_value():
    step = each("hall", expect=[{"path": "name", "value": {"$each": "@"}}])

    assert faults(step, GLANCE) == [("/steps/0/expect/0/value", "misplaced-each")]


@pytest.mark.parametrize(
    "fan",
    [
        {"values": []},
        {"values": ["x"] * 101},
        {"values": "hall"},
        {"values": ["x"], "max_concurrency": 0},
        {"values": ["x"], "max_concurrency": 51},
        {"values": ["x"], "max_failures": -1},
        {"values": ["x"], "max_failures": 101},
        {},
    ],
)
def test_values_and_limits_make_sense(fan):
    with pytest.raises(ValidationError, match="for_each"):
        drafted({**each("x"), "for_each": fan}, GLANCE)
