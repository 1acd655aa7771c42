"""A step may ask, when its turn comes, what came of the steps before it, and of no others."""

import pytest
from pydantic import ValidationError
from tests.builders.drafts import drafted, faults
from tests.builders.plans import GLANCE, LOOK, SWITCH

SEE = {**LOOK, "id": "see"}
OTHER = {**LOOK, "id": "other"}
FAN = {**LOOK, "id": "fan", "input": {"lamp": {"$each": "@"}}, "for_each": {"values": ["hall", "attic"]}}
CHECK = {**GLANCE, "id": "check"}


def switching(when, **facts):
    return {**SWITCH, "id": "switch", "when": when, **facts}


@pytest.mark.parametrize(
    "when",
    [
        "steps.see.output.on == `false`",
        "steps.see.status == 'succeeded' && !(steps.other.output.on)",
        'steps."fan-2".output.on',
        "contains(['a', 'b'], steps.see.output.kind)",
        "steps.see.output.lamps[?on] | length(@) > `1`",
        "@.steps.see.output.on",
        "`true`",
    ],
)
def test_a_condition_about_an_earlier_stage_is_kept_as_it_stands(when):
    assert drafted(SEE, OTHER, FAN, switching(when), CHECK).step("switch").when == when


def test_within_a_stage_a_condition_is_about_what_the_step_waits_for_also_by_way_of_others():
    second = {**SWITCH, "id": "second", "depends_on": ["first"]}
    third = switching("steps.first.output.on", depends_on=["second"])

    assert drafted({**SWITCH, "id": "first"}, second, third, CHECK).step("switch").when


@pytest.mark.parametrize(
    "when", ["steps.see.", "steps.see.output = 1", "!steps.see.output.on", "!" * 400 + "steps.see"]
)
def test_what_is_no_expression_is_no_condition(when):
    assert faults(SEE, switching(when), CHECK) == [("/steps/1/when", "bad-condition")]


@pytest.mark.parametrize("when", ["", "steps.see.output.on == '\x00'", "\ud800", "a" * 2001])
def test_a_condition_is_a_text_that_can_be_kept(when):
    with pytest.raises(ValidationError, match="when"):
        drafted(SEE, switching(when), CHECK)


@pytest.mark.parametrize(
    "when",
    [
        "steps.nobody.output.on",
        "steps.switch.output.on",
        "steps.check.output.on",
        "steps.beside.output.on",
        "steps",
        "steps.*.output",
        "values(steps)[0].see",
        "keys(@)",
        "@",
        "input.lamp",
        "status",
        "{a: steps} | a.see",
    ],
)
def test_a_condition_reads_nothing_else(when):
    beside = {**SWITCH, "id": "beside"}

    assert faults(SEE, beside, switching(when), CHECK) == [("/steps/2/when", "unknown-reference")]


def test_a_condition_names_one_step_and_not_a_group_of_them():
    assert faults(FAN, switching("steps.fan.status == 'succeeded'"), CHECK) == [("/steps/1/when", "group-reference")]
    assert faults(FAN, switching('steps."fan-3".output'), CHECK) == [("/steps/1/when", "unknown-reference")]


def test_the_members_of_a_group_do_not_read_each_other():
    fan = {**FAN, "when": 'steps."fan-1".output.on'}

    assert faults(fan) == [("/steps/0/when", "unknown-reference")]
