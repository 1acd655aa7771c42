"""After some steps nobody can go back, or means to: people know it before they agree."""

import pytest
from pydantic import ValidationError
from tests.builders.drafts import drafted
from tests.builders.plans import GLANCE, LOOK, NOTE, SWITCH, a_plan

from carapulse.plans.judging import judged_plan
from carapulse.plans.views import PlanRisk, PlanView

SMASH = {**SWITCH, "id": "smash", "action": "smash", "input": {"lamp": "hall"}}
FINAL = {**SWITCH, "id": "final", "point_of_no_return": True}


def test_a_step_without_a_way_back_is_one_and_so_is_a_step_that_is_called_so():
    version = drafted(SWITCH, FINAL, SMASH, GLANCE, NOTE)

    assert [step.point_of_no_return for step in version.steps] == [False, True, True, False, False]
    assert version.irreversible_steps == ("smash",)


@pytest.mark.parametrize(("steps", "first"), [([SMASH, FINAL], "smash"), ([FINAL, SMASH], "final"), ([SWITCH], None)])
def test_the_first_in_order_is_shown_beside_what_cannot_be_undone(steps, first):
    version = drafted(*steps, GLANCE)
    plan = a_plan(version)
    view, risk = PlanView.with_steps(plan, version), PlanRisk.of(plan, version)

    assert view.point_of_no_return == risk.point_of_no_return == first
    assert view.irreversible_steps == risk.irreversible_steps == version.irreversible_steps


@pytest.mark.parametrize("step", [FINAL, {**LOOK, "point_of_no_return": True}, SMASH])
def test_policy_counts_it_as_what_cannot_be_undone(step):
    assert judged_plan(drafted(step, GLANCE)).irreversible
    assert not judged_plan(drafted(SWITCH, GLANCE)).irreversible


def test_it_is_part_of_what_is_agreed_to():
    assert drafted(FINAL, GLANCE).digest != drafted({**FINAL, "point_of_no_return": False}, GLANCE).digest


def test_why_a_step_is_dangerous_says_it():
    version = drafted(FINAL, GLANCE)

    assert "once it is done nobody means to go back" in PlanRisk.of(a_plan(version), version).steps[0].reasons


def test_it_is_said_plainly():
    with pytest.raises(ValidationError, match="point_of_no_return"):
        drafted({**FINAL, "point_of_no_return": "yes"}, GLANCE)
