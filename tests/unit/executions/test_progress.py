"""How far a run has come, and what each of its steps waits for."""

from datetime import timedelta

from tests.builders.executions import NOW, WRONG, Run, facts

from carapulse.executions.applying import apply
from carapulse.executions.events import (
    CancelRequested,
    ExecutionHeld,
    PauseRequested,
    StepDelayed,
    StepRetried,
    StepSkipped,
    StepStarted,
)
from carapulse.executions.model import Cause, Effect
from carapulse.executions.progress import deadlines_of, percent_of, waits_of

LATER = NOW + timedelta(minutes=5)


def a_run(*, at_once=1, **targets):
    a, b, check = facts("a"), facts("b", position=2), facts("check", "verify")
    run = Run(*(each.model_copy(update={"targets": targets.get(each.id, ())}) for each in (a, b, check)))
    run.state = run.state.model_copy(update={"max_concurrency": at_once})
    return run


def begun(run, step_id="a"):
    run.state = apply(
        run.state,
        StepStarted(execution_id="exec_1", step_id=step_id, phase="run", attempt=1, fence=1, lease="x"),
        NOW,
    )
    return run


def test_the_percentage_counts_what_is_behind_us():
    run = a_run()

    shares = [percent_of(run.succeeds(times=times).state) for times in (0, 1, 1, 1)]

    assert shares == [0, 33, 66, 100]


def test_what_is_skipped_is_behind_us():
    run = a_run().happened(StepSkipped(execution_id="exec_1", step_id="a", condition="`false`"))

    assert percent_of(run.state) == 33


def test_a_step_waits_for_its_turn_and_for_earlier_stages():
    assert waits_of(begun(a_run()).state, NOW) == {"b": "waits for a free place", "check": "waits for a, b"}


def test_a_step_waits_for_a_target_that_is_being_changed():
    run = begun(a_run(at_once=2, a=("lamp:hall",), b=("lamp:hall",)))

    assert waits_of(run.state, NOW)["b"] == "waits for target lamp:hall"


def test_a_step_waits_for_what_it_depends_on():
    run = begun(Run(facts("a"), facts("b", position=2, after=("a",))))

    assert waits_of(run.state, NOW) == {"b": "waits for a"}


def test_a_retry_and_a_pause_in_the_plan_say_until_when():
    run = a_run()
    names = {"execution_id": "exec_1", "step_id": "a"}
    retried = StepRetried(**names, phase="run", fence=0, error=WRONG, effect=Effect.NONE, retry_at=LATER)
    pause = run.state.steps[0].facts.model_copy(update={"waits": True})
    waiting = Run(pause).happened(StepDelayed(**names, until=LATER))

    assert waits_of(run.happened(retried).state, NOW)["a"] == f"waits for a retry at {LATER.isoformat()}"
    assert waits_of(waiting.state, NOW) == {"a": f"waits until {LATER.isoformat()}"}


def test_what_is_paused_says_so():
    run = a_run().happened(PauseRequested(execution_id="exec_1"))

    assert set(waits_of(run.state, NOW).values()) == {"paused"}


def test_a_held_run_says_whom_it_asks_about():
    run = a_run()
    run.state = run.state.model_copy(update={"hold": True})
    run.fails().happened(ExecutionHeld(execution_id="exec_1", cause=Cause.FAILED, steps=("a",)))

    assert waits_of(run.state, NOW)["a"] == "waits for a person: it did not"
    assert waits_of(run.state, NOW)["b"] == "waits for a person to answer for a"


def test_what_is_undone_later_says_so():
    run = a_run().succeeds(times=2).fails()

    assert waits_of(run.state, NOW) == {"a": "waits until what came after it is undone"}


def test_what_is_cancelled_waits_for_nothing_more():
    run = begun(a_run()).happened(CancelRequested(execution_id="exec_1", undo=True))

    assert waits_of(run.state, NOW) == {}


def test_what_has_run_out_of_time_waits_for_nothing_more():
    run = begun(a_run()).advances(NOW + timedelta(hours=2))

    assert waits_of(run.state, NOW) == {}


def test_a_step_that_has_begun_may_take_as_long_as_it_or_the_run_may():
    state = begun(a_run()).state

    assert deadlines_of(state, {"a": 60, "b": 60}) == {"a": NOW + timedelta(seconds=60)}
    assert deadlines_of(state, {"a": 90_000}) == {"a": state.deadline_at}
    assert deadlines_of(state, {}) == {"a": state.deadline_at}
