"""What holds for every execution, whatever happens to it."""

from hypothesis import given, settings
from tests.builders.walking import CALM, MOVES, walks

from carapulse.executions import columns
from carapulse.executions.events import StepStarted
from carapulse.executions.model import Effect, Status, StepStatus

ENDED = {StepStatus.SUCCEEDED, StepStatus.SKIPPED, StepStatus.FAILED}


def after_each(walk, moves):
    for kind, which in moves:
        walk.move(kind, which)
        yield walk.state
    walk.settle()
    yield walk.state


def started(walk):
    return [(state, event) for state, event in walk.seen if isinstance(event, StepStarted)]


def rows_of(state):
    return [(columns.parts(step), columns.facts(step), step.captured) for step in state.steps]


def left(state):
    touched = {s.facts.id for s in state.steps if s.facts.writes and s.run.effect is not Effect.NONE}
    return touched - {s.facts.id for s in state.steps if s.undo and s.undo.status is StepStatus.SUCCEEDED}


def told(state):
    """Return the reports that nobody has to look after: they were not to be undone, and it is known how they ended."""
    reports = [s for s in state.steps if s.facts.stage == "report"]
    return {s.facts.id for s in reports if s.undo is None and s.run.status is not StepStatus.UNKNOWN}


def not_done(state):
    good = {StepStatus.SUCCEEDED, StepStatus.SKIPPED}
    return {s.facts.id for s in state.steps if s.facts.stage in {"act", "verify"} and s.run.status not in good}


@settings(max_examples=150, deadline=None)
@given(walks(), MOVES)
def test_every_execution_ends_and_tells_the_truth_about_what_is_left(walk, moves):
    *_, state = after_each(walk, moves)

    assert state.over
    assert walk.there <= left(state)
    if state.goes_back:
        unknown = {s.facts.id for s in state.steps if s.facts.stage == "report" and not s.is_known}
        assert set(state.left) == not_done(state) | unknown
        assert all(step.undo is None for step in state.steps)
        assert state.status in {"succeeded", "cancelled", "timed_out", "rollback_failed"}
        assert state.status is not Status.SUCCEEDED or not not_done(state)
    elif state.status is not Status.SUCCEEDED:
        assert set(state.left) == left(state) - told(state)
        not_undone = any(s.undo and s.undo.status in {StepStatus.FAILED, StepStatus.UNKNOWN} for s in state.steps)
        changed = any(state.step(name).facts.stage != "report" for name in state.left)
        assert state.status is not Status.ROLLBACK_FAILED or not_undone or changed
    else:
        assert all(step.undo is None for step in state.steps)
        failed = {s.facts.id for s in state.steps if s.run.status is StepStatus.FAILED}
        failed -= {s.facts.id for s in state.steps if s.facts.stage == "report" and not s.facts.group}
        unknown = {s.facts.id for s in state.steps if s.run.status is StepStatus.UNKNOWN}
        assert set(state.left) == (failed | unknown) & left(state)
        assert all(state.step(name).facts.stage == "report" for name in unknown)
    if state.status is Status.SUCCEEDED:
        assert all(step.run.status is not StepStatus.WAITING for step in state.steps)
    if state.status is Status.ROLLED_BACK:
        assert (state.left, walk.there) == ((), set())


@settings(max_examples=100, deadline=None)
@given(walks(), MOVES)
def test_never_more_runs_at_once_than_may_and_never_two_on_one_target(walk, moves):
    for state in after_each(walk, moves):
        going = [step.facts for step, phase, _ in state.running if phase == "run"]
        going += [state.step(start.step_id).facts for start in walk.offered if start.phase == "run"]

        assert len({each.group or each.id for each in going}) <= state.max_concurrency
        for name, group in state.groups.items():
            assert sum(each.group == name for each in going) <= group.max_concurrency
        targets = [target for each in going for target in each.targets]
        assert len(targets) == len(set(targets))
        assert sum(phase == "undo" for _, phase, _ in state.running) <= 1


@settings(max_examples=100, deadline=None)
@given(walks(), MOVES)
def test_nothing_starts_before_its_time_or_after_its_end(walk, moves):
    list(after_each(walk, moves))

    for state, event in started(walk):
        step = state.step(event.step_id)
        if event.phase == "undo":
            assert step.facts.writes
            assert step.run.effect is not Effect.NONE
            continue
        earlier = [s for s in state.steps if s.facts.stage.rank < step.facts.stage.rank]
        earlier += [state.step(name) for name in step.facts.depends_on]
        assert all(each.run.status in ENDED for each in earlier)
        assert (state.cancel_undo, state.expired, state.paused) == (None, False, False)


@settings(max_examples=100, deadline=None)
@given(walks(), MOVES)
def test_only_what_nobody_paused_or_is_asked_about_goes_on(walk, moves):
    for state in after_each(walk, moves):
        waits = state.paused or state.status is Status.NEEDS_HUMAN or state.over
        assert bool(walk.offered or state.running) is not waits or (state.running and state.paused)


@settings(max_examples=60, deadline=None)
@given(walks(), MOVES)
def test_the_log_is_the_state_and_the_columns_are_too(walk, moves):
    for state in after_each(walk, moves):
        assert walk.replayed() == state
        assert columns.restored(state.id, columns.whole(state), rows_of(state)) == state


@settings(max_examples=60, deadline=None)
@given(walks(), CALM)
def test_whoever_began_keeps_its_place(walk, moves):
    for state in after_each(walk, moves):
        begun = [s for s in state.steps if s.run.attempts and s.run.status is StepStatus.WAITING]
        if state.status is Status.RUNNING and walk.offered:
            assert {s.facts.id for s in begun} <= {start.step_id for start in walk.offered}
