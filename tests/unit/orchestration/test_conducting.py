"""What a state machine is told: every state that it is sent to exists, and it never waits for what nobody does."""

from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.builders.executions import NOW, Run, a_change, facts
from tests.builders.plans import a_plan
from tests.builders.walking import MOVES, walks

from carapulse.executions.events import PauseRequested, StepDelayed
from carapulse.executions.lifecycle import advance
from carapulse.executions.model import Status
from carapulse.orchestration.conducting import end_of, next_of, step_told
from carapulse.orchestration.definition import definition
from carapulse.orchestration.model import LONGEST_WAIT_S, STEPS, Asked, Turn
from carapulse.plans.model import PlanStatus
from carapulse.plans.steps import Group

STATES = definition()["States"]


def a_plan_that_is(status):
    return a_plan().model_copy(update={"status": status})


RUNNING = a_plan_that_is(PlanStatus.EXECUTING)


def told(state, at=NOW):
    return next_of(RUNNING, None, state, at, 90)


def turn(run, step_id, phase="run", at=NOW):
    return step_told(run.state, step_id, phase, at)


def left_of(told):
    return [(each.step_id, each.phase) for each in told.steps]


def test_the_steps_of_a_stage_are_asked_for_in_the_order_of_their_dependencies():
    run = Run(facts("b", position=1, after=("a",)), facts("a", position=2), facts("check", "verify"))

    assert (told(run.state).next, left_of(told(run.state))) == ("ActSteps", [("a", "run"), ("b", "run")])
    assert [turn(run, each).next for each in ("a", "b", "check")] == [Turn.ATTEMPT, Turn.LEAVE, Turn.LEAVE]


def test_a_step_waits_while_what_it_needs_is_being_done():
    run = Run(facts("a"), facts("b", position=2, after=("a",)), max_concurrency=2)
    names = run.starts("a")

    assert [turn(run, each).next for each in ("a", "b")] == [Turn.AWAIT, Turn.AWAIT]
    run.ends(names)
    assert [turn(run, each).next for each in ("a", "b")] == [Turn.LEAVE, Turn.ATTEMPT]


def test_what_is_tried_again_later_waits_until_then():
    run = a_change().succeeds()
    run.happened(StepDelayed(execution_id="exec_1", step_id="a", until=NOW + timedelta(seconds=7.2)))

    assert (turn(run, "a").next, turn(run, "a").wait_s) == (Turn.AWAIT, 8)
    assert turn(run, "a", at=NOW + timedelta(seconds=8)).next is Turn.ATTEMPT


def test_undoing_is_asked_for_in_the_opposite_order_one_by_one():
    run = a_change().succeeds(times=3).fails()

    said = told(run.state)
    assert (said.next, said.width, left_of(said)) == ("UndoSteps", 1, [("b", "undo"), ("a", "undo")])
    assert turn(run, "b", "undo").next is Turn.ATTEMPT
    assert turn(run, "b", "run").next is Turn.LEAVE


def test_what_only_a_person_can_tell_is_awaited_until_the_deadline():
    run = a_change()
    run.happened(PauseRequested(execution_id="exec_1", note=None))

    assert (told(run.state).next, told(run.state).wait_s) == (Asked.AWAIT_PERSON, 3600)


def test_a_width_counts_every_fan_out_once_and_its_own_width_besides():
    run = Run(
        *(facts(f"s{n}", group="all") for n in range(9)), max_concurrency=2, groups={"all": Group(max_concurrency=5)}
    )

    assert told(run.state).width == 6


def test_an_undo_after_the_deadline_has_the_time_that_it_needs():
    run = a_change().succeeds(times=3).fails()

    for item in told(run.state, at=NOW + timedelta(days=2)).steps:
        assert (item.timeout_s, item.heartbeat_s) == (86_400, 90)


def test_a_run_of_days_is_not_asked_for_anew_while_it_goes_on():
    state = a_change().state.model_copy(update={"deadline_at": NOW + timedelta(days=3)})

    assert told(state).steps[0].timeout_s == 3 * 86_400 + 900


def in_hand(state, at):
    """Return the steps that a Map has begun with: in order, as many as it is wide, without those that it left."""
    said = told(state, at)
    found: list[str] = []
    for step in said.steps:
        if len(found) == said.width:
            break
        if step_told(state, step.step_id, step.phase, at).next is not Turn.LEAVE:
            found.append(step.step_id)
    return found


def test_what_could_be_done_does_not_stand_behind_what_has_to_wait():
    run = Run(facts("a"), facts("b", position=2, after=("a",)), facts("c", position=3), max_concurrency=2)
    run.starts("a")

    assert in_hand(run.state, NOW) == ["a", "b", "c"]


def test_a_question_that_should_have_lapsed_is_not_asked_again_each_second():
    waits = [
        next_of(a_plan_that_is(each), NOW, None, NOW, 90).wait_s
        for each in (PlanStatus.AWAITING_APPROVAL, PlanStatus.APPROVED)
    ]

    assert waits == [60, 60]


@settings(max_examples=150, deadline=None)
@given(walks(), MOVES)
def test_whatever_may_start_is_in_the_machines_hand(walk, moves):
    for kind, which in moves:
        walk.move(kind, which)
        state = advance(walk.state, walk.at).state
        due = {s.step_id for s in advance(state, walk.at).starts if s.not_before is None or s.not_before <= walk.at}
        if due:
            assert due <= set(in_hand(state, walk.at))


@settings(max_examples=150, deadline=None)
@given(walks(), MOVES, st.integers(0, 10_000))
def test_whatever_has_come_to_pass_unwritten_is_answered_and_attempted(walk, moves, later):
    for kind, which in moves:
        walk.move(kind, which)
    at = walk.at + timedelta(seconds=later)
    said = told(walk.state, at)

    assert said.next in STATES
    assert all(step.timeout_s > step.heartbeat_s >= 60 for step in said.steps)
    if advance(walk.state, at).events:
        assert all(step_told(walk.state, s.facts.id, "run", at).next is Turn.ATTEMPT for s in walk.state.steps)


@pytest.mark.parametrize("status", [each for each in Status if each.at_rest and each is not Status.NEEDS_HUMAN])
def test_every_final_status_is_an_end_of_the_machine(status):
    assert STATES[end_of(status)]["Type"] == ("Succeed" if status is Status.SUCCEEDED else "Fail")


@pytest.mark.parametrize("status", sorted(set(PlanStatus) - {PlanStatus.EXECUTING, PlanStatus.DONE}))
def test_every_status_of_a_plan_that_was_never_executed_is_a_state_of_the_machine(status):
    said = next_of(a_plan_that_is(status), NOW + timedelta(minutes=30), None, NOW, 90)

    assert said.next in STATES
    assert said.wait_s in {1, 1800}


def test_a_question_without_end_is_asked_again_after_a_week():
    assert next_of(a_plan_that_is(PlanStatus.APPROVED), None, None, NOW, 90).wait_s == LONGEST_WAIT_S


@settings(max_examples=150, deadline=None)
@given(walks(), MOVES)
def test_a_machine_always_has_somewhere_to_go_and_attempts_whatever_may_start(walk, moves):
    for kind, which in moves:
        walk.move(kind, which)
        state = advance(walk.state, walk.at).state
        said = next_of(RUNNING, None, state, walk.at, 90)
        assert said.next in STATES
        due = {s.step_id for s in advance(state, walk.at).starts if s.not_before is None or s.not_before <= walk.at}
        attempted = {
            s.step_id for s in said.steps if step_told(state, s.step_id, s.phase, walk.at).next is Turn.ATTEMPT
        }
        assert attempted == due
        if state.is_at_work or due:
            assert said.next in {*STEPS.values(), "UndoSteps"}


@settings(max_examples=150, deadline=None)
@given(walks(), MOVES)
def test_no_step_holds_the_machine_up_when_nothing_runs_but_its_own_clock(walk, moves):
    for kind, which in moves:
        walk.move(kind, which)
        state = advance(walk.state, walk.at).state
        later = {(s.step_id, s.phase) for s in advance(state, walk.at).starts if s.not_before is not None}
        if not state.is_at_work:
            for step in state.steps:
                for phase in ("run", "undo"):
                    if step_told(state, step.facts.id, phase, walk.at).next is Turn.AWAIT:
                        assert (step.facts.id, phase) in later
