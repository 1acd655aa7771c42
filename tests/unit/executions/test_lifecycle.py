"""What comes next, in every state that an execution can be in."""

from datetime import timedelta

import pytest
from tests.builders.executions import NOW, WRONG, Run, a_change, coming, facts

from carapulse.executions.ending import Finish
from carapulse.executions.errors import EventOutOfPlace
from carapulse.executions.events import (
    CancelRequested,
    DeadlinePassed,
    ExecutionFinished,
    PauseRequested,
    StepFailed,
    StepResolved,
    StepRetried,
    StepStarted,
    StepSucceeded,
    StepUnknown,
)
from carapulse.executions.lifecycle import Go, Hold, Start, cause_of
from carapulse.executions.model import Cause, Effect, Status, StepStatus


def test_stages_follow_each_other_and_a_stage_follows_positions():
    run = Run(
        facts("note", "report"), facts("check", "verify"), facts("b", position=2), facts("a"), facts("look", "diagnose")
    )

    order = []
    while isinstance(run.next, Start):
        order.append(run.next.step_id)
        run.succeeds()

    assert order == ["look", "a", "b", "check", "note"]
    assert run.next == Finish(Status.SUCCEEDED, None, ())


def test_a_dependency_goes_before_a_position():
    run = Run(facts("a", position=1, after=("b",)), facts("b", position=2), facts("check", "verify"))

    assert coming(run) == ("b", "run")


def test_a_failed_verification_undoes_everything_in_reverse():
    run = a_change().succeeds(times=3)

    run.fails()

    undone = []
    while isinstance(run.next, Start):
        undone.append(coming(run))
        run.succeeds()
    assert undone == [("b", "undo"), ("a", "undo")]
    assert run.next == Finish(Status.ROLLED_BACK, Cause.FAILED, ())


def test_a_step_that_failed_after_it_may_have_written_is_undone_too():
    run = a_change().succeeds(times=2)

    run.fails(effect=Effect.MAYBE)

    assert coming(run) == ("b", "undo")


def test_a_step_that_failed_without_effect_is_not_undone():
    run = a_change().succeeds(times=2)

    run.fails(effect=Effect.NONE)

    assert coming(run) == ("a", "undo")


def test_a_failure_before_anything_was_written_just_fails():
    run = a_change()

    run.fails()

    assert run.next == Finish(Status.FAILED, Cause.FAILED, ())


def test_a_failed_undo_does_not_stop_the_others_and_says_what_is_left():
    run = a_change().succeeds(times=3)
    run.fails()

    run.fails(effect=Effect.DONE)

    assert coming(run) == ("a", "undo")
    run.succeeds()
    assert run.next == Finish(Status.ROLLBACK_FAILED, Cause.FAILED, ("b",))


def test_what_has_no_undo_is_left_and_said():
    run = Run(facts("a", undoable=False), facts("b", position=2), facts("check", "verify")).succeeds(times=2)
    run.fails()

    run.succeeds()

    assert run.next == Finish(Status.ROLLBACK_FAILED, Cause.FAILED, ("a",))


def test_an_unknown_outcome_waits_for_a_person_and_nothing_is_undone_blindly():
    run = a_change().succeeds(times=2)

    names = run.starts()
    run.happened(StepUnknown(**names, error=WRONG))

    assert run.next == Hold(Cause.UNKNOWN, ("b",))


def test_a_failed_report_does_not_undo_a_verified_change():
    run = Run(facts("a"), facts("check", "verify"), facts("note", "report")).succeeds(times=2)

    run.fails()

    assert run.next == Finish(Status.SUCCEEDED, None, ())


def test_a_report_of_which_nobody_knows_neither_holds_nor_undoes_the_change_and_is_named():
    run = Run(facts("a"), facts("check", "verify"), facts("note", "report"), facts("mail", "report", position=2))
    run.succeeds(times=2)
    run.happened(StepUnknown(**run.starts(), error=WRONG)).advances()

    assert (run.state.status, run.startable) == (Status.RUNNING, ["mail"])
    run.succeeds()
    assert run.next == Finish(Status.SUCCEEDED, None, ("note",))
    assert run.state.step("note").run.status is StepStatus.UNKNOWN


@pytest.mark.parametrize("hold", [True, False])
def test_nobody_is_asked_about_a_report_of_which_nobody_knows(hold):
    run = Run(facts("a"), facts("note", "report"), facts("mail", "report", position=2), hold=hold).succeeds()
    run.happened(StepUnknown(**run.starts(), error=WRONG)).advances()

    with pytest.raises(EventOutOfPlace):
        run.happened(StepResolved(execution_id="exec_1", step_id="note", done=True, note="it is there"))
    assert cause_of(run.state) is None


@pytest.mark.parametrize(
    ("undo", "expected"), [(True, ("a", "undo")), (False, Finish(Status.CANCELLED, Cause.CANCELLED, ("a",)))]
)
def test_a_cancel_undoes_or_keeps_as_it_was_asked(undo, expected):
    run = a_change().succeeds(times=2)

    run.happened(CancelRequested(execution_id="exec_1", undo=undo))

    assert coming(run) == expected


def test_a_cancel_waits_for_the_step_that_runs():
    run = a_change().succeeds(times=1)
    names = run.starts()

    run.happened(CancelRequested(execution_id="exec_1", undo=True))

    assert run.next == Go()
    run.happened(StepFailed(**names, error=WRONG, effect=Effect.MAYBE))
    assert coming(run) == ("a", "undo")
    run.succeeds()
    assert run.next == Finish(Status.CANCELLED, Cause.CANCELLED, ())


def test_a_passed_deadline_undoes_and_ends_as_timed_out():
    run = a_change().succeeds(times=2)

    run.happened(DeadlinePassed(execution_id="exec_1"))
    run.succeeds()

    assert run.next == Finish(Status.TIMED_OUT, Cause.TIMED_OUT, ())


def test_a_retry_is_the_next_attempt_and_not_before_its_time():
    run = a_change()
    later = NOW + timedelta(seconds=5)
    run.happened(StepRetried(**run.starts(), error=WRONG, retry_at=later, effect=Effect.NONE))

    assert run.next == Start("look", "run", 2, later)


def test_an_attempt_that_never_came_to_its_start_counts_as_one():
    run = a_change()
    names = {"execution_id": "exec_1", "step_id": "look", "phase": "run", "fence": 0}
    run.happened(StepRetried(**names, error=WRONG, retry_at=NOW, effect=Effect.NONE))

    assert run.next == Start("look", "run", 2, NOW)
    assert run.state.step("look").run.started_at == NOW  # its time has begun


def test_a_late_worker_with_an_old_fence_changes_nothing():
    run = a_change()
    old = run.starts()
    run.happened(StepRetried(**old, error=WRONG, retry_at=NOW, effect=Effect.NONE))
    run.starts()

    with pytest.raises(EventOutOfPlace):
        run.happened(StepSucceeded(**old, output_digest=None, duration_ms=1))


def test_nothing_happens_to_an_execution_that_is_over():
    run = Run(facts("a")).succeeds()
    end = run.next
    run.happened(ExecutionFinished(execution_id="exec_1", status=end.status, cause=end.cause, left=end.left))

    assert run.next == Go()
    with pytest.raises(EventOutOfPlace):
        run.happened(CancelRequested(execution_id="exec_1", undo=True))


def test_a_deadline_that_passes_when_all_is_done_undoes_nothing():
    run = Run(facts("a"), facts("check", "verify")).succeeds()
    last = run.starts()

    run.happened(DeadlinePassed(execution_id="exec_1")).happened(
        StepSucceeded(**last, output_digest=None, duration_ms=1)
    )

    assert run.next == Finish(Status.SUCCEEDED, None, ())


def reported_late(note=None):
    """Return a run whose deadline passes when the change is verified, and one report is made, while another is not."""
    run = Run(facts("a"), facts("check", "verify"), facts("mail", "report"), facts("note", "report", position=2))
    run.succeeds(times=3)
    if note is not None:
        run.happened(note(**run.starts(), error=WRONG))
    return run.advances(run.state.deadline_at)


def tried_before(**names):
    return StepRetried(**names, retry_at=NOW + timedelta(hours=2), effect=Effect.MAYBE)


@pytest.mark.parametrize("note", [None, tried_before])
def test_a_deadline_that_passes_when_only_a_report_is_open_gives_up_the_report_and_undoes_nothing(note):
    state = reported_late(note).state

    assert (state.status, state.cause, state.left) == (Status.SUCCEEDED, None, ())
    assert [step.run.status for step in state.steps] == [*[StepStatus.SUCCEEDED] * 3, StepStatus.FAILED]
    given_up = state.step("note").run
    assert (given_up.finished_at, given_up.retry_at) == (state.deadline_at, None)
    assert (given_up.error.code, given_up.effect) == ("deadline-passed", Effect.MAYBE if note else Effect.NONE)


def test_a_deadline_that_passes_while_a_report_is_made_waits_for_it_and_begins_no_other():
    run = Run(facts("a"), facts("note", "report"), facts("mail", "report", position=2)).succeeds()
    names = run.starts()
    run.advances(run.state.deadline_at)

    assert (run.state.status, run.startable) == (Status.RUNNING, [])
    run.ends(names).advances(run.state.deadline_at)
    assert run.state.status is Status.SUCCEEDED
    assert [step.run.status for step in run.state.steps[1:]] == [StepStatus.SUCCEEDED, StepStatus.FAILED]


def test_a_pause_after_the_deadline_keeps_no_run_from_its_end_when_only_reports_are_open():
    run = Run(facts("a"), facts("note", "report"), facts("mail", "report", position=2)).succeeds()
    names = run.starts()
    run.advances(run.state.deadline_at).happened(PauseRequested(execution_id="exec_1"))

    run.ends(names).advances(run.state.deadline_at)

    assert run.state.status is Status.SUCCEEDED


def test_a_deadline_that_passes_before_the_change_is_verified_undoes_it_though_reports_are_open():
    run = Run(facts("a"), facts("check", "verify"), facts("note", "report")).succeeds()

    run.advances(run.state.deadline_at)

    assert coming(run) == ("a", "undo")


def test_a_refusal_does_not_end_an_attempt_that_is_running():
    run = a_change()
    running = run.starts()

    with pytest.raises(EventOutOfPlace):
        run.happened(StepFailed(**{**running, "fence": 0}, error=WRONG, effect=Effect.NONE))


def test_no_step_begins_once_the_change_is_being_undone():
    run = Run(facts("a"), facts("b", position=2)).succeeds()
    run.happened(CancelRequested(execution_id="exec_1", undo=True))

    with pytest.raises(EventOutOfPlace):
        run.happened(StepStarted(execution_id="exec_1", step_id="b", phase="run", attempt=1, fence=2))
