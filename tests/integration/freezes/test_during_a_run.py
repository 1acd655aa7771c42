"""A freeze that is declared, or a window that is closed, while a run is under way stops the step that comes next."""

from datetime import UTC, datetime, timedelta

import pytest
from tests.integration.test_execution_races import Meanwhile, ShiftedClock, rebuilt
from tests.world.rig import a_call, act, check

from carapulse.executions.model import StepStatus
from carapulse.freezes.model import FreezeTerms
from carapulse.freezes.rules import FRESH_S
from carapulse.freezes.usecases import Lift, declare_freeze, declare_window, lift_freeze
from carapulse.freezes.windows import WindowTerms

SALE = FreezeTerms(name="sale", environments=("dev",), reason="many people shop")


def freeze(rig):
    return declare_freeze(SALE, a_call("sam", "sre"), rig.app)


def close(rig):
    day = f"{datetime.now(UTC) - timedelta(days=2):%a}".lower()
    terms = {"name": "once", "environments": ["dev"], "weekly": [{"days": [day], "start": "00:00", "end": "00:01"}]}
    return declare_window(WindowTerms.model_validate(terms), a_call("sam", "sre"), rig.app)


@pytest.mark.parametrize("declare", [freeze, close])
def test_what_is_declared_between_two_steps_stops_the_second_and_undoes_the_first(rig, declare):
    execution = rig.start(rig.plan(act("switch", "hall"), act("switch", "attic"), check("attic")))
    clock = ShiftedClock()

    def declared_and_two_seconds_later():
        declare(rig)
        clock.by += timedelta(seconds=FRESH_S)

    rebuilt(rig, clock=clock, policy=Meanwhile(rig.app.policy, declared_and_two_seconds_later))

    state = rig.finish(execution)

    first, second = (state.steps[number] for number in (0, 1))
    assert first.run.status is StepStatus.SUCCEEDED
    assert (second.run.status, second.run.error.code) == (StepStatus.FAILED, "policy-denied")
    assert rig.world.effects == ["PUT hall", "PUT hall"]  # done and undone: undoing stays possible


def test_a_freeze_that_was_lifted_stops_nothing(rig):
    declared = freeze(rig)
    lift_freeze(declared.id, Lift(reason="it is over"), a_call("sam", "sre"), rig.app)

    assert rig.run(act("switch", "hall"), check("hall")).status == "succeeded"
