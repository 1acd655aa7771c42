"""What can be a plan, and exactly where a request goes wrong when it can't."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError
from tests.builders.application import CATALOGUE
from tests.builders.drafts import drafted, faults
from tests.builders.plans import GLANCE, LOOK, NOTE, SWITCH, a_request

from carapulse.plans.drafting import MOST_STEPS, blast_radius
from carapulse.plans.model import AUTOMATIC, Stage
from carapulse.plans.requests import CreatePlan, Origin
from carapulse.tools.model import Risk

SMASH = {**SWITCH, "action": "smash", "input": {"lamp": "hall"}}


def test_a_step_carries_what_the_catalogue_says_about_it():
    version = drafted(SWITCH, GLANCE, NOTE)

    switch, glance, note = version.steps
    assert (switch.risk, switch.undo, switch.idempotent, switch.targets) == (Risk.LOW, AUTOMATIC, True, ("lamps:hall",))
    assert [each.path for each in glance.expect] == ["on"]
    assert (note.undo, note.retry.attempts) == (None, 4)
    assert note.no_undo == "it leaves nothing behind that would have to be undone"
    assert version.tool_digests == {"lamps": CATALOGUE.digest("lamps")}


def test_steps_stand_stage_by_stage_and_keep_the_ids_of_the_request():
    version = drafted(NOTE, GLANCE, SWITCH, LOOK)

    assert [step.stage for step in version.steps] == list(Stage)
    assert [step.id for step in version.steps] == ["s4", "s3", "s2", "s1"]
    assert [step.position for step in version.steps] == [1, 2, 3, 4]


def test_an_id_is_minted_that_nobody_gave():
    version = drafted({**SWITCH, "id": "s2"}, GLANCE, {**LOOK, "id": "s3"})

    assert {step.id for step in version.steps} == {"s2", "s3", "s4"}


@pytest.mark.parametrize(
    ("step", "expected"),
    [
        ({**SWITCH, "tool": "lamp"}, ("/steps/0/tool", "unknown-tool")),
        ({**SWITCH, "tool": "Lamps"}, ("/steps/0/tool", "unknown-tool")),
        ({**SWITCH, "action": "switch-on"}, ("/steps/0/action", "unknown-action")),
        ({**SWITCH, "input": {"lamp": "hall"}}, ("/steps/0/input/on", "missing")),
        ({**SWITCH, "input": {"on": True, "colour": "red"}}, ("/steps/0/input/colour", "unknown-field")),
        ({**SWITCH, "input": {"on": "yes"}}, ("/steps/0/input/on", "type")),
        ({**SWITCH, "input": {"on": True, "lamp": "hall\n"}}, ("/steps/0/input/lamp", "control-character")),
        ({**SWITCH, "input": {"on": True, "lamp": "hall\x00"}}, ("/steps/0/input", "control-character")),
        ({**SWITCH, "input": {"on": 2**60}}, ("/steps/0/input", "not-exact")),
        ({**SWITCH, "input": {"on": True, "namespace": "bank"}}, ("/steps/0/input/namespace", "outside-context")),
        ({**SWITCH, "depends_on": ["s9"]}, ("/steps/0/depends_on/0", "unknown-dependency")),
        ({**SWITCH, "depends_on": ["s2"]}, ("/steps/0/depends_on/0", "against-stage-order")),
        ({**SWITCH, "depends_on": ["s1"]}, ("/steps/0/depends_on", "cycle")),
        ({**SWITCH, "stage": "diagnose"}, ("/steps/0/stage", "diagnose-writes")),
        ({**SWITCH, "stage": "verify"}, ("/steps/0/stage", "verify-writes")),
        ({**SMASH, "stage": "report"}, ("/steps/0/stage", "report-harms")),
        ({**SWITCH, "stage": "report", "input": {"lamp": "hall", "on": False}}, ("/steps/0/stage", "report-harms")),
        ({**LOOK, "stage": "verify"}, ("/steps/0/expect", "no-expectation")),
        ({**LOOK, "tool": None}, ("/steps/0/tool", "missing")),
        ({**LOOK, "action": None}, ("/steps/0/action", "missing")),
        ({**LOOK, "expect": [{"path": "on", "value": "\x00"}]}, ("/steps/0/expect", "control-character")),
        ({**SWITCH, "retry": {"attempts": 3}}, ("/steps/0/retry", "retry-of-a-write")),
        ({**LOOK, "undo": "automatic"}, ("/steps/0/undo", "undo-of-a-read")),
        ({**SMASH, "undo": "automatic"}, ("/steps/0/undo", "no-automatic-undo")),
        ({**SMASH, "undo": {"tool": "glue", "action": "mend"}}, ("/steps/0/undo/tool", "unknown-tool")),
        ({**SMASH, "undo": {"tool": "lamps", "action": "mend"}}, ("/steps/0/undo/action", "unknown-action")),
        ({**SMASH, "undo": {"tool": "lamps", "action": "switch"}}, ("/steps/0/undo/input/on", "missing")),
        (
            {**SMASH, "undo": {"tool": "lamps", "action": "look", "input": {"lamp": "hall"}}},
            ("/steps/0/undo/action", "undo-reads"),
        ),
        (
            {**SMASH, "undo": {"tool": "lamps", "action": "note", "input": {"lamp": "hall", "namespace": "bank"}}},
            ("/steps/0/undo/input/namespace", "outside-context"),
        ),
    ],
)
def test_a_fault_is_told_with_its_place(step, expected):
    assert expected in faults(step, GLANCE)


def test_every_fault_is_told_at_once():
    found = faults({**SWITCH, "tool": "lamp"}, {**SWITCH, "action": "melt"}, {**GLANCE, "depends_on": ["s7"]})

    assert found == [
        ("/steps/2/depends_on/0", "unknown-dependency"),
        ("/steps/0/tool", "unknown-tool"),
        ("/steps/1/action", "unknown-action"),
    ]


def test_two_steps_of_one_id_are_refused():
    assert ("/steps/1/id", "duplicate-id") in faults({**SWITCH, "id": "a"}, {**GLANCE, "id": "a"})


def test_steps_that_wait_for_each_other_are_refused_wherever_the_circle_begins():
    a, b, c = ({**SWITCH, "id": each, "depends_on": [other]} for each, other in ("ab", "bc", "ca"))
    outside = {**SWITCH, "id": "d", "depends_on": ["a"]}

    assert faults(a, b, c, outside, GLANCE) == [(f"/steps/{number}/depends_on", "cycle") for number in range(3)]


def test_a_change_that_nothing_verifies_is_refused():
    assert faults(SWITCH) == [("/steps", "no-verify")]


def test_a_plan_that_only_looks_needs_no_verification():
    assert drafted(LOOK).risk is Risk.READ


def test_a_plan_has_between_one_and_200_steps():
    assert faults(steps=[]) == [("/steps", "no-steps")]
    assert len(drafted(*[LOOK] * MOST_STEPS).steps) == MOST_STEPS
    assert faults(*[LOOK] * (MOST_STEPS + 1)) == [("/steps", "too-many-steps")]


@pytest.mark.parametrize("both", [{"steps": None}, {"workflow": {"name": "x"}}])
def test_a_plan_is_asked_for_either_by_steps_or_by_a_workflow(both):
    with pytest.raises(ValidationError, match="exactly one"):
        a_request(SWITCH, **both)


@pytest.mark.parametrize(
    "constraints",
    [
        {"max_targets": -1},
        {"max_targets": 0},
        {"max_targets": True},
        {"maintenance_window": {"start": "25:00", "end": "26:00"}},
        {"maintenance_window": {"start": "02:00", "end": "04:00", "timezone": "Mars/Olympus"}},
        {"maintenance_window": {"start": "02:00", "end": "04:00", "timezone": "../../etc/passwd"}},
        {"maintenance_window": {"start": "02:00", "end": "02:00"}},
        {"allowed_environments": []},
        {"deadline_s": 0},
        {"max_concurrency": 0},
        {"max_concurrency": 51},
        {"max_concurrency": "2"},
        {"on_failure": "shrug"},
        {"unlimited": True},
    ],
)
def test_constraints_that_make_no_sense_are_refused(constraints):
    with pytest.raises(ValidationError):
        a_request(SWITCH, constraints=constraints)


def test_steps_run_one_by_one_and_a_failure_is_undone_unless_the_request_says_otherwise():
    silent, said = drafted(), drafted(constraints={"max_concurrency": 50, "on_failure": "hold"})

    assert (silent.constraints.max_concurrency, silent.constraints.on_failure) == (1, "undo")
    assert (said.constraints.max_concurrency, said.constraints.on_failure) == (50, "hold")


def test_risk_is_the_highest_of_all_steps():
    assert drafted(SWITCH, GLANCE).risk is Risk.LOW
    assert drafted(SWITCH, SMASH, GLANCE).risk is Risk.HIGH


def test_risk_depends_on_the_input_and_says_why():
    version = drafted({**SWITCH, "input": {"lamp": "hall", "on": False}}, GLANCE)

    assert version.risk is Risk.HIGH
    assert version.steps[0].risk_reasons == ("darkness is dangerous",)


def test_a_dangerous_way_back_is_as_dangerous_as_a_dangerous_way_there():
    back = {"tool": "lamps", "action": "smash", "input": {"lamp": "attic"}}
    version = drafted({**SWITCH, "undo": back}, GLANCE)

    assert version.risk is Risk.HIGH
    assert version.targets == ("lamps:hall", "lamps:attic")


@settings(deadline=None)
@given(st.text(max_size=50), st.sampled_from(["read only", "just look", "list", "get", "delete iam policy", "drain"]))
def test_words_neither_raise_nor_lower_the_risk(noise, words):
    summary = f"{words} x"
    intent = f"{words} {noise}".replace("\x00", "")

    assert drafted(SWITCH, SMASH, GLANCE, summary=summary, intent=intent).risk is Risk.HIGH
    assert drafted(SWITCH, GLANCE, summary=summary, intent=intent).risk is Risk.LOW


@settings(deadline=None)
@given(st.lists(st.sampled_from([LOOK, SWITCH, SMASH, NOTE]), max_size=6))
def test_one_more_step_never_lowers_the_risk(steps):
    assert drafted(*steps, SWITCH, GLANCE).risk <= drafted(*steps, SMASH, SWITCH, GLANCE).risk
    assert drafted(*steps, SWITCH, GLANCE).risk >= Risk.LOW


@pytest.mark.parametrize(("targets", "radius"), [(0, "namespace"), (10, "namespace"), (11, "cluster"), (50, "cluster")])
def test_the_blast_radius_grows_with_the_targets(targets, radius):
    assert blast_radius(targets, unbounded=False) == radius


def test_what_nobody_can_count_reaches_the_whole_account():
    assert blast_radius(51, unbounded=False) == "account"
    assert blast_radius(0, unbounded=True) == "account"


@pytest.mark.parametrize("lamp", ["*", "all", "ALL "])
def test_a_target_that_means_everything_makes_the_plan_unbounded(lamp):
    version = drafted({**SWITCH, "input": {"lamp": lamp, "on": True}}, GLANCE)

    assert (version.unbounded, version.blast_radius) == (True, "account")


def test_targets_are_counted_once():
    lamps = [f"lamp-{number}" for number in range(11)]
    version = drafted({**SWITCH, "input": {"lamps": lamps, "on": True}}, SWITCH, SWITCH, GLANCE)

    assert (len(version.targets), version.blast_radius) == (12, "cluster")


def test_what_cannot_be_undone_makes_the_plan_irreversible():
    assert not drafted(SWITCH, NOTE, GLANCE).irreversible
    assert drafted(SMASH, GLANCE).irreversible
    assert drafted(SMASH, GLANCE).steps[0].no_undo == "there is no way back from this action"


def test_where_a_request_comes_from_is_part_of_the_plan():
    version = drafted(origin=Origin(trusted=False, meta={"source": "src_1"}))

    assert (version.trusted, version.meta) == (False, {"source": "src_1"})


def test_nobody_can_ask_to_be_trusted():
    with pytest.raises(ValidationError):
        CreatePlan.model_validate({**a_request(SWITCH).model_dump(exclude={"workflow"}), "trusted": True})
