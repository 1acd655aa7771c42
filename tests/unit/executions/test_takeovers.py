"""A step that goes from a lost worker to another one, and what the fence keeps the lost one from saying."""

import pytest
from tests.builders.executions import coming, two_steps

from carapulse.executions.errors import EventOutOfPlace
from carapulse.executions.events import StepStarted, StepSucceeded, StepTakenOver

ME = {"execution_id": "exec_1"}


def test_whoever_was_taken_over_has_no_say_any_more():
    run = two_steps()
    old = run.starts()
    run.happened(StepTakenOver(**{**old, "fence": 2}, lease="lease_2"))

    with pytest.raises(EventOutOfPlace):
        run.happened(StepSucceeded(**old, output_digest=None, duration_ms=1))

    run.happened(StepSucceeded(**{**old, "fence": 2}, output_digest=None, duration_ms=1))
    assert run.state.steps[0].run.attempts == 1
    assert coming(run) == ("b", "run")


@pytest.mark.parametrize("fence", [1, 3])
def test_a_take_over_has_the_next_fence_and_no_other(fence):
    run = two_steps()
    names = run.starts()

    with pytest.raises(EventOutOfPlace):
        run.happened(StepTakenOver(**{**names, "fence": fence}, lease="lease_2"))


def test_what_does_not_run_cannot_be_taken_over():
    with pytest.raises(EventOutOfPlace):
        two_steps().happened(StepTakenOver(**ME, step_id="a", phase="run", fence=1, lease="lease_2"))


def test_a_fence_is_used_once_across_steps():
    run = two_steps(max_concurrency=2)
    run.starts("a")

    with pytest.raises(EventOutOfPlace):
        run.happened(StepStarted(**ME, step_id="b", phase="run", attempt=1, fence=1))
