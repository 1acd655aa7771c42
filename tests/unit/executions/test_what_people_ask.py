"""What people and the clock ask of an execution: to wait, to go on, to stop, to try again, to believe them."""

from datetime import timedelta

import pytest
from tests.builders.executions import NOW, WRONG, Run, a_change, coming, facts, two_steps

from carapulse.executions.ending import Finish
from carapulse.executions.errors import EventOutOfPlace
from carapulse.executions.events import (
    CancelRequested,
    PauseRequested,
    ResumeRequested,
    RetryRequested,
    StepFailed,
    StepResolved,
    StepRetried,
    StepUnknown,
)
from carapulse.executions.lifecycle import Go, Hold, Start
from carapulse.executions.model import Cause, Effect, Status, StepStatus
from carapulse.plans.steps import Group

ME = {"execution_id": "exec_1"}
OVERDUE = NOW + timedelta(hours=2)


def pause(run):
    return run.happened(PauseRequested(**ME))


def cancel(run, *, undo=True):
    return run.happened(CancelRequested(**ME, undo=undo))


def held(run):
    """Fail step b, in an execution that waits for a person then."""
    return run.succeeds().fails(effect=Effect.MAYBE).advances()


def lost(**more):
    """Let nobody know what came of step b."""
    run = two_steps(**more).succeeds()
    return run.happened(StepUnknown(**run.starts(), error=WRONG)).advances()


def resolved(run, *, done):
    return run.happened(StepResolved(**ME, step_id="b", done=done, note="I looked")).advances()


def test_a_pause_starts_nothing_and_lets_what_runs_end():
    run = two_steps()
    names = run.starts()
    pause(run)

    assert (run.startable, run.ends(names).startable) == ([], [])
    assert run.state.steps[0].run.status is StepStatus.SUCCEEDED
    assert run.happened(ResumeRequested(**ME)).startable == ["b"]


def test_a_pause_during_the_undo_starts_no_further_undo():
    run = a_change().succeeds(times=3).fails()
    names = run.starts()
    pause(run)

    assert run.ends(names).next == Go()
    run.happened(ResumeRequested(**ME))
    assert coming(run) == ("a", "undo")


def test_a_step_that_fails_during_a_pause_is_not_undone_before_the_run_goes_on():
    run = a_change().succeeds(times=3)
    names = run.starts()
    pause(run).happened(StepFailed(**names, error=WRONG, effect=Effect.NONE))
    waited = run.advances()
    before = (waited.next, waited.state.status)

    after = waited.happened(ResumeRequested(**ME)).advances()

    assert before == (Go(()), Status.RUNNING)
    assert (after.state.status, len(after.startable)) == (Status.UNDOING, 1)


def test_a_cancel_lifts_a_pause():
    run = cancel(pause(two_steps().succeeds()))

    assert coming(run) == ("a", "undo")


@pytest.mark.parametrize("lifted", [cancel, lambda run: run.advances(OVERDUE)])
def test_a_paused_undo_goes_on_after_a_cancel_and_after_the_deadline(lifted):
    run = pause(a_change().succeeds(times=3).fails())

    assert run.startable == []
    assert lifted(run).startable == ["b"]


def test_the_deadline_lifts_a_pause():
    run = pause(two_steps().succeeds()).advances(OVERDUE)

    assert (run.state.cause, coming(run)) == (Cause.TIMED_OUT, ("a", "undo"))


def test_a_paused_execution_in_which_all_is_done_ends():
    run = Run(facts("a"))
    names = run.starts()

    assert pause(run).ends(names).next == Finish(Status.SUCCEEDED, None, ())


def test_a_failure_waits_for_a_person_where_the_plan_says_so():
    run = held(two_steps(hold=True))

    assert (run.state.status, run.state.cause, run.state.left) == (Status.NEEDS_HUMAN, Cause.FAILED, ("b",))
    assert run.startable == []


def test_a_failure_is_held_only_once_nothing_runs_any_more():
    run = two_steps(hold=True, max_concurrency=2)
    first, second = run.starts("a"), run.starts("b")

    assert run.ends(first, error=WRONG).next == Go()
    assert run.ends(second).next == Hold(Cause.FAILED, ("a",))


def test_a_person_has_a_failed_step_tried_again_and_earlier_attempts_do_not_count():
    run = held(two_steps(hold=True))

    run.happened(RetryRequested(**ME, step_id="b", note="the disk is free again"))

    assert (run.state.status, run.state.cause, run.state.left) == (Status.RUNNING, None, ())
    assert (run.next, run.state.step("b").run.spent) == (Start("b", "run", 2, None), 1)
    assert run.succeeds().next == Finish(Status.SUCCEEDED, None, ())


def test_what_may_have_happened_is_not_forgotten_when_a_step_is_tried_again():
    run = held(two_steps(hold=True)).happened(RetryRequested(**ME, step_id="b", note="again"))

    assert coming(cancel(run)) == ("b", "undo")


@pytest.mark.parametrize("step_id", ["a", "b"])
def test_nothing_is_tried_again_that_nobody_was_asked_about(step_id):
    run = two_steps(hold=True).succeeds() if step_id == "b" else held(two_steps(hold=True))

    with pytest.raises(EventOutOfPlace):
        run.happened(RetryRequested(**ME, step_id=step_id, note="again"))


def test_a_failure_that_its_fan_out_bears_is_not_tried_again_because_a_person_is_asked_about_another_step():
    fan = [facts(name, position=n, group="all") for n, name in enumerate(("m1", "m2"), 1)]
    run = Run(*fan, facts("z", position=9), groups={"all": Group(max_failures=1)}, hold=True)
    run.fails().succeeds().fails().advances()
    assert run.state.left == ("z",)

    with pytest.raises(EventOutOfPlace):
        run.happened(RetryRequested(**ME, step_id="m1", note="again"))
    assert run.happened(RetryRequested(**ME, step_id="z", note="again")).startable == ["z"]


def test_of_a_fan_out_with_too_many_failures_each_may_be_tried_again_until_it_bears_the_rest():
    fan = [facts(name, position=n, group="all") for n, name in enumerate(("m1", "m2"), 1)]
    run = Run(*fan, max_concurrency=2, groups={"all": Group(max_concurrency=2, max_failures=1)}, hold=True)
    first, second = run.starts("m1"), run.starts("m2")
    run.ends(first, error=WRONG).ends(second, error=WRONG).advances()
    assert run.state.left == ("m1", "m2")

    run.happened(RetryRequested(**ME, step_id="m2", note="again")).succeeds()

    assert run.next == Finish(Status.SUCCEEDED, None, ())


def test_an_unknown_step_is_not_simply_tried_again():
    with pytest.raises(EventOutOfPlace):
        lost().happened(RetryRequested(**ME, step_id="b", note="again"))


def test_a_failed_step_is_not_declared_done():
    with pytest.raises(EventOutOfPlace):
        resolved(held(two_steps(hold=True)), done=True)


def test_a_person_who_saw_it_done_lets_the_execution_go_on():
    run = resolved(lost(), done=True)

    assert run.state.step("b").run.effect is Effect.DONE
    assert (run.state.status, run.state.left) == (Status.SUCCEEDED, ())


def test_a_person_who_saw_it_not_done_has_the_rest_undone():
    run = resolved(lost(), done=False)

    assert (run.state.step("b").run.effect, coming(run)) == (Effect.NONE, ("a", "undo"))
    assert run.succeeds().next == Finish(Status.ROLLED_BACK, Cause.FAILED, ())


def test_what_was_not_done_waits_for_a_person_again_where_failures_do():
    run = resolved(lost(hold=True), done=False)

    assert (run.state.status, run.state.cause) == (Status.NEEDS_HUMAN, Cause.FAILED)
    run.happened(RetryRequested(**ME, step_id="b", note="again"))
    assert coming(run) == ("b", "run")


def test_two_unknown_steps_need_two_answers():
    run = two_steps(max_concurrency=2)
    for names in (run.starts("a"), run.starts("b")):
        run.happened(StepUnknown(**names, error=WRONG))

    assert run.advances().state.left == ("a", "b")
    assert resolved(run, done=True).state.left == ("a",)


def test_a_cancel_while_a_person_is_waited_for_undoes_what_is_known():
    run = cancel(lost())

    assert (run.state.status, coming(run)) == (Status.UNDOING, ("a", "undo"))
    assert run.succeeds().next == Finish(Status.ROLLBACK_FAILED, Cause.CANCELLED, ("b",))


def test_a_cancel_while_a_person_is_waited_for_undoes_what_failed_too():
    run = cancel(held(two_steps(hold=True)))

    assert coming(run) == ("b", "undo")
    assert run.succeeds(times=2).next == Finish(Status.CANCELLED, Cause.CANCELLED, ())


def test_a_cancel_while_a_person_is_waited_for_keeps_everything_if_asked():
    run = cancel(lost(), undo=False)

    assert run.next == Finish(Status.CANCELLED, Cause.CANCELLED, ("a", "b"))


def told(**mail):
    """Return a verified change of which one report is made and another is not."""
    first = facts("mail", "report").model_copy(update=mail)
    run = Run(facts("a"), facts("check", "verify"), first, facts("note", "report", position=2))
    return run.succeeds(times=3)


def test_a_cancel_after_a_report_undoes_the_change_and_does_not_count_what_people_were_told():
    run = cancel(told()).succeeds().advances()

    assert (run.state.status, run.state.left) == (Status.CANCELLED, ())
    assert run.state.step("mail").is_left


def test_a_cancel_that_keeps_the_change_does_not_count_what_people_were_told_either():
    assert cancel(told(), undo=False).next == Finish(Status.CANCELLED, Cause.CANCELLED, ("a",))


def test_a_cancel_names_a_report_of_which_nobody_knows_and_undoes_the_change_all_the_same():
    run = Run(facts("a"), facts("note", "report"), facts("mail", "report", position=2)).succeeds()
    run.happened(StepUnknown(**run.starts(), error=WRONG))

    cancel(run).succeeds()

    assert run.next == Finish(Status.CANCELLED, Cause.CANCELLED, ("note",))


def test_a_report_that_has_a_way_back_goes_it_and_is_named_if_that_fails():
    run = cancel(told(undoable=True))

    assert coming(run) == ("mail", "undo")
    run.fails(effect=Effect.DONE).succeeds()
    assert run.next == Finish(Status.ROLLBACK_FAILED, Cause.CANCELLED, ("mail",))


def test_a_change_that_nobody_can_undo_is_left_whatever_people_were_told():
    run = Run(facts("a"), facts("bell", undoable=False, position=2), facts("mail", "report"), facts("note", "report"))
    cancel(run.succeeds(times=3)).succeeds()

    assert run.next == Finish(Status.ROLLBACK_FAILED, Cause.CANCELLED, ("bell",))


def test_the_deadline_undoes_what_waited_for_a_person():
    run = held(two_steps(hold=True)).advances(OVERDUE)

    assert (run.state.status, run.state.cause) == (Status.UNDOING, Cause.TIMED_OUT)
    assert run.succeeds(times=2).next == Finish(Status.TIMED_OUT, Cause.TIMED_OUT, ())


def test_the_deadline_never_answers_what_only_a_person_can_tell():
    run = lost().advances(OVERDUE)

    assert (run.state.status, run.state.cause, run.state.expired) == (Status.NEEDS_HUMAN, Cause.UNKNOWN, True)
    assert coming(resolved(run, done=False)) == ("a", "undo")


def test_what_a_person_saw_done_after_the_deadline_is_not_undone_if_it_was_the_last():
    run = resolved(lost().advances(OVERDUE), done=True)

    assert run.state.status is Status.SUCCEEDED


def test_a_wish_to_keep_what_is_left_ends_an_undo():
    run = a_change().succeeds(times=3).fails().succeeds()

    assert cancel(run, undo=False).next == Finish(Status.CANCELLED, Cause.CANCELLED, ("a",))


def test_an_undo_that_runs_is_finished_before_the_rest_is_kept():
    run = a_change().succeeds(times=3).fails()
    names = run.starts()

    assert cancel(run, undo=False).next == Go()
    assert run.ends(names).next == Finish(Status.CANCELLED, Cause.CANCELLED, ("a",))


def test_undos_go_one_by_one_against_the_dependencies_and_not_the_positions():
    run = Run(
        facts("a", position=3),
        facts("b", position=2, after=("a",)),
        facts("c", position=1, after=("b",)),
        max_concurrency=9,
    ).succeeds(times=3)
    cancel(run)

    undone = []
    while isinstance(run.next, Start):
        undone.append(run.next.step_id)
        run.succeeds()
    assert undone == ["c", "b", "a"]


def test_an_undo_that_is_to_be_tried_again_goes_before_the_others():
    run = a_change().succeeds(times=3).fails()
    run.happened(StepRetried(**run.starts(), error=WRONG, retry_at=OVERDUE, effect=Effect.MAYBE))

    assert run.next == Start("b", "undo", 2, OVERDUE)


def test_a_dry_run_never_has_an_effect_and_so_has_nothing_to_undo():
    run = two_steps(dry_run=True)
    names = run.starts()

    assert run.state.steps[0].run.effect is Effect.NONE
    assert run.ends(names).state.steps[0].run.effect is Effect.NONE
    assert run.fails().next == Finish(Status.FAILED, Cause.FAILED, ())


def test_the_deadline_passes_once():
    run = two_steps()
    names = run.starts()
    first = run.advances(OVERDUE).state

    assert run.advances(OVERDUE).state == first
    assert run.ends(names).state.expired
