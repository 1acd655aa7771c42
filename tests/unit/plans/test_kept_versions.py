"""What was approved before plans could say more still has the digest that was approved."""

import json
from pathlib import Path

import pytest

from carapulse.kernel.canonical import digest
from carapulse.plans.model import Constraints, Group, PlanVersion, Wait

KEPT = json.loads(Path(__file__).with_name("kept_version.json").read_text(encoding="utf-8"))
BODY, DIGEST = KEPT["body"], KEPT["digest"]


def test_the_digest_of_a_version_that_was_kept_earlier_stays():
    version = PlanVersion.model_validate(BODY)

    assert digest(BODY) == DIGEST
    assert version.document() == BODY
    assert version.digest == DIGEST


def test_what_it_could_not_say_is_what_always_was():
    version = PlanVersion.model_validate(BODY)

    assert (version.constraints.max_concurrency, version.constraints.on_failure) == (1, "undo")
    assert (version.irreversible_steps, version.point_of_no_return) == (("smash",), "smash")


@pytest.mark.parametrize(
    "change",
    [
        {"groups": {"g": Group()}},
        {"constraints": Constraints(max_concurrency=2)},
        {"constraints": Constraints(on_failure="hold")},
    ],
)
def test_what_is_said_now_is_in_the_digest(change):
    assert PlanVersion.model_validate(BODY).model_copy(update=change).digest != DIGEST


@pytest.mark.parametrize(
    "change",
    [
        {"when": "steps.look.output.on"},
        {"wait": Wait(check_s=1)},
        {"deadline_s": 1.5},
        {"point_of_no_return": True},
        {"group": "g"},
    ],
)
def test_what_a_step_says_now_is_in_the_digest(change):
    version = PlanVersion.model_validate(BODY)
    steps = (version.steps[0].model_copy(update=change), *version.steps[1:])

    assert version.model_copy(update={"steps": steps}).digest != DIGEST
