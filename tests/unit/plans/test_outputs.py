"""What one step puts out may fill another's input, but never say which tool is used or whom it touches."""

import pytest
from pydantic import ValidationError
from tests.builders.drafts import drafted, faults
from tests.builders.plans import GLANCE, LOOK, NOTE, SWITCH

from carapulse.plans.model import OutputRef

SEE = {**LOOK, "id": "see"}
SOURCE = {"step": "see", "path": "kind"}
LENT = {"lamp": "hall", "to": "attic", "days": 2}
LEND = {"stage": "act", "tool": "lamps", "action": "lend"}


def noting(**sources):
    return {**NOTE, "id": "note", "input_from": sources}


def lending(*names, **given):
    value = {name: each for name, each in {**LENT, **given}.items() if name not in names}
    return {**LEND, "input": value, "input_from": dict.fromkeys(names, SOURCE)}


def test_a_field_is_filled_when_the_step_begins_so_the_plan_says_from_where():
    step = drafted(SEE, noting(text=SOURCE)).step("note")

    assert step.input == {"lamp": "hall"}
    assert step.input_from == {"text": OutputRef(step="see", path="kind")}


@pytest.mark.parametrize("source", [{"step": "see", "path": "["}, {"step": "see", "path": ""}, {"step": "see"}])
def test_a_source_is_a_step_and_a_path(source):
    with pytest.raises(ValidationError, match="input_from"):
        drafted(SEE, noting(text=source))


def test_a_path_holds_no_nul():
    with pytest.raises(ValidationError, match="path"):
        drafted(SEE, noting(text={"step": "see", "path": '"\x00"'}))


@pytest.mark.parametrize(
    ("step", "expected"),
    [
        (noting(lamp=SOURCE), ("/steps/1/input_from/lamp", "output-as-target")),
        (noting(lamp=SOURCE), ("/steps/1/input_from/lamp", "given-twice")),
        (noting(namespace=SOURCE), ("/steps/1/input_from/namespace", "output-as-target")),
        (noting(colour=SOURCE), ("/steps/1/input_from/colour", "unknown-field")),
        (noting(**{"a/b~\x00": SOURCE}), ("/steps/1/input_from/a~1b~0\x00", "unknown-field")),
        (
            {**SWITCH, "input": {"lamp": "hall"}, "input_from": {"on": SOURCE}},
            ("/steps/1/input_from/on", "output-as-target"),
        ),
        ({**SWITCH, "input_from": {"lamps": SOURCE}}, ("/steps/1/input_from/lamps", "output-as-target")),
        (lending("days"), ("/steps/1/input_from/days", "output-as-target")),
        (lending("to"), ("/steps/1/input_from/to", "output-as-target")),
        (lending("remark", days="two"), ("/steps/1/input/days", "type")),
        (lending("remark", to=None), ("/steps/1/input/to", "type")),
    ],
)
def test_no_output_decides_what_people_agreed_to(step, expected):
    assert expected in faults(SEE, step, GLANCE)


def test_no_output_is_an_address_that_is_asked():
    probe = {"stage": "act", "tool": "http", "action": "probe", "input_from": {"url": SOURCE}}

    assert faults(SEE, probe) == [("/steps/1/input_from/url", "output-as-target")]


def test_what_is_still_to_come_is_not_missed_wherever_the_schema_asks_for_it():
    assert faults(SEE, lending(days=14), GLANCE) == [("/steps/1/input", "any-of")]
    assert drafted(SEE, lending("remark", days=14), GLANCE).steps[1].input == {
        "lamp": "hall",
        "to": "attic",
        "days": 14,
    }


def test_a_required_field_may_come_later_and_every_other_is_still_missed():
    assert drafted(SEE, {**LOOK, "stage": "act", "id": "again", "input": {}, "input_from": {"lamp": SOURCE}})
    assert faults(SEE, {**NOTE, "input": {}, "input_from": {"text": SOURCE}}) == [("/steps/1/input/lamp", "missing")]


@pytest.mark.parametrize("name", ["nobody", "beside", "note", "later"])
def test_a_source_is_over_when_the_step_begins(name):
    beside, later = {**NOTE, "id": "beside"}, {**NOTE, "id": "later", "depends_on": ["note"]}
    found = faults(SEE, noting(text={"step": name, "path": "kind"}), beside, later)

    assert found == [("/steps/1/input_from/text/step", "unknown-reference")]


def test_a_source_of_the_same_stage_is_waited_for():
    again = {**LOOK, "id": "again", "depends_on": ["pause"], "input": {}, "input_from": {"lamp": SOURCE}}
    pause = {"id": "pause", "stage": "diagnose", "wait": {"for_s": 1}, "depends_on": ["see"]}

    assert drafted(SEE, pause, again).step("again").input_from["lamp"].step == "see"


def test_what_only_waits_puts_nothing_out():
    pause = {"id": "pause", "stage": "diagnose", "wait": {"for_s": 1}}
    found = faults(pause, noting(text={"step": "pause", "path": "@"}))

    assert found == [("/steps/1/input_from/text/step", "unknown-reference")]


@pytest.mark.parametrize("name", ["fan", "fan-1"])
def test_one_of_several_steps_is_no_source(name):
    fan = {**LOOK, "id": "fan", "input": {"lamp": {"$each": "@"}}, "for_each": {"values": ["hall"]}}
    found = faults(fan, noting(text={"step": name, "path": "kind"}))

    assert found == [("/steps/1/input_from/text/step", "group-reference")]
