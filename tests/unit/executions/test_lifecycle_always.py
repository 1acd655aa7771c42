"""What holds for every execution, whatever happens to it."""

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.builders.executions import NOW, WRONG, Run, facts

from carapulse.executions.events import (
    CancelRequested,
    DeadlinePassed,
    StepFailed,
    StepRetried,
    StepSucceeded,
)
from carapulse.executions.lifecycle import Finish, Start
from carapulse.executions.model import Effect, Status

STAGES = st.sampled_from(["diagnose", "act", "verify", "report"])
FATES = st.lists(
    st.sampled_from(["ok", "ok", "ok", "fail", "maybe", "retry", "cancel", "keep", "deadline"]), max_size=60
)


@st.composite
def plans(draw):
    stages = draw(st.lists(STAGES, min_size=1, max_size=6))
    return [facts(f"s{n}", stage, position=n + 1, undoable=draw(st.booleans())) for n, stage in enumerate(stages)]


def hit(run, fate):
    stopping = {
        "cancel": CancelRequested(execution_id="exec_1", undo=True),
        "keep": CancelRequested(execution_id="exec_1", undo=False),
        "deadline": DeadlinePassed(execution_id="exec_1"),
    }
    if fate in stopping:
        run.happened(stopping[fate])
        return
    names = run.starts()
    effect = {"fail": Effect.NONE, "maybe": Effect.MAYBE}.get(fate, Effect.MAYBE)
    if fate == "ok":
        run.happened(StepSucceeded(**names, output_digest=None, duration_ms=1))
    elif fate == "retry":
        run.happened(StepRetried(**names, error=WRONG, retry_at=NOW, effect=effect))
    else:
        run.happened(StepFailed(**names, error=WRONG, effect=effect))


@settings(max_examples=300, deadline=None)
@given(plans(), FATES)
def test_every_execution_ends_and_tells_the_truth_about_what_is_left(steps, fates):
    run = Run(*steps)
    for fate in fates:
        if isinstance(run.next, Start):
            hit(run, fate)
    while isinstance(run.next, Start):
        run.succeeds()

    assert isinstance(run.next, Finish)
    touched = [s for s in run.state.steps if s.facts.writes and s.run.effect is not Effect.NONE]
    undone = {s.facts.id for s in touched if s.undo and s.undo.status == "succeeded"}
    if run.next.status is Status.SUCCEEDED:
        assert undone == set()
    else:
        assert set(run.next.left) == {s.facts.id for s in touched} - undone
    if run.next.status is Status.ROLLED_BACK:
        assert run.next.left == ()
