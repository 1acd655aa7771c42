"""A run of a plan that goes back on an earlier run: to go back is what is wanted, so nothing of it is done again."""

from datetime import timedelta

import pytest
from tests.builders.executions import NOW, WRONG, Run, coming, facts

from carapulse.executions.ending import Finish
from carapulse.executions.errors import EventOutOfPlace, GoesBack
from carapulse.executions.events import CancelRequested, RetryRequested, StepResolved, StepUnknown
from carapulse.executions.model import Cause, Effect, Status
from carapulse.executions.ways_back import verified
from carapulse.plans.steps import Group

ME = {"execution_id": "exec_1"}
OVERDUE = NOW + timedelta(hours=2)


def a_way_back(**more):
    """Return a run of two ways back, each of which is verified."""
    check_1, check_2 = facts("look-1", "verify"), facts("look-2", "verify", position=2)
    return Run(facts("undo-1"), facts("undo-2", position=2), check_1, check_2, undoes="exec_0", **more)


def cancelled(run, *, undo):
    return run.happened(CancelRequested(**ME, undo=undo)).advances()


def test_what_went_back_as_a_whole_has_succeeded():
    assert a_way_back().succeeds(times=4).next == Finish(Status.SUCCEEDED, None, ())


def test_a_way_back_that_fails_does_not_keep_the_others_from_being_gone_and_is_left():
    run = a_way_back().fails(effect=Effect.MAYBE)

    assert coming(run) == ("undo-2", "run")
    run.succeeds().fails().succeeds()
    assert run.next == Finish(Status.ROLLBACK_FAILED, Cause.FAILED, ("undo-1", "look-1"))


def test_what_is_not_as_it_was_is_not_undone_and_is_left():
    run = a_way_back().succeeds(times=2).fails().succeeds()

    assert run.next == Finish(Status.ROLLBACK_FAILED, Cause.FAILED, ("look-1",))
    assert all(step.undo is None for step in run.state.steps)


def test_a_precondition_that_does_not_hold_keeps_all_of_it_from_being_begun():
    run = Run(facts("see", "diagnose"), facts("undo-1"), facts("look-1", "verify"), undoes="exec_0").fails()

    assert run.next == Finish(Status.ROLLBACK_FAILED, Cause.FAILED, ("undo-1", "look-1"))


def test_no_fan_out_bears_what_was_not_gone_back_on():
    fan = [facts(name, position=n, group="all") for n, name in enumerate(("m1", "m2"), 1)]
    run = Run(*fan, groups={"all": Group(max_failures=1)}, undoes="exec_0").fails().succeeds()

    assert run.next == Finish(Status.ROLLBACK_FAILED, Cause.FAILED, ("m1",))


def test_a_failed_report_leaves_nothing():
    run = Run(facts("undo-1"), facts("note", "report"), undoes="exec_0").succeeds().fails()

    assert run.next == Finish(Status.SUCCEEDED, None, ())


def test_a_cancel_leaves_the_rest_and_does_nothing_again():
    run = cancelled(a_way_back().succeeds(), undo=False)

    assert (run.state.status, run.state.left) == (Status.CANCELLED, ("undo-2", "look-1", "look-2"))
    assert run.state.step("undo-1").undo is None


def test_a_cancel_can_not_have_it_done_again():
    with pytest.raises(GoesBack):
        cancelled(a_way_back().succeeds(), undo=True)


def test_the_deadline_leaves_the_rest_and_does_nothing_again():
    run = a_way_back().succeeds().advances(OVERDUE)

    assert (run.state.status, run.state.left) == (Status.TIMED_OUT, ("undo-2", "look-1", "look-2"))


def test_a_person_is_asked_about_what_nobody_knows_and_the_rest_goes_on_whatever_they_saw():
    run = a_way_back()
    run.happened(StepUnknown(**run.starts(), error=WRONG)).advances()
    assert (run.state.status, run.state.left) == (Status.NEEDS_HUMAN, ("undo-1",))

    run.happened(StepResolved(**ME, step_id="undo-1", done=False, note="it is not"))

    assert coming(run) == ("undo-2", "run")
    assert run.succeeds(times=3).next == Finish(Status.ROLLBACK_FAILED, Cause.FAILED, ("undo-1",))


def test_nobody_is_asked_about_a_way_back_that_failed_because_another_is_unknown():
    run = a_way_back().fails()
    run.happened(StepUnknown(**run.starts(), error=WRONG)).advances()

    assert run.state.left == ("undo-2",)
    with pytest.raises(EventOutOfPlace):
        run.happened(RetryRequested(**ME, step_id="undo-1", note="again"))


def test_a_person_may_have_a_way_back_tried_again_where_the_plan_says_so():
    run = a_way_back(hold=True).fails().advances()
    assert (run.state.status, run.state.left) == (Status.NEEDS_HUMAN, ("undo-1",))

    run.happened(RetryRequested(**ME, step_id="undo-1", note="it is there again")).succeeds(times=4)

    assert run.next == Finish(Status.SUCCEEDED, None, ())


def test_what_is_held_is_left_after_the_deadline_and_not_done_again():
    run = a_way_back(hold=True).succeeds().fails().advances().advances(OVERDUE)

    assert (run.state.status, run.state.left) == (Status.TIMED_OUT, ("undo-2", "look-1", "look-2"))


@pytest.mark.parametrize(("after", "expected"), [(("undo-1",), {"undo-2"}), ((), set())])
def test_what_a_verification_that_does_not_hold_is_about_is_not_verified(after, expected):
    check = facts("look-1", "verify", after=after)
    run = Run(facts("undo-1"), facts("undo-2", position=2), check, undoes="exec_0").succeeds(times=2).fails()

    assert verified(run.state) == expected
