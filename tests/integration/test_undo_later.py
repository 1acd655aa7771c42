"""A run that is over is gone back on by a plan of its own, which is judged, approved and executed like any other."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from tests.world.replay import replayed
from tests.world.rig import a_call, act, check

from carapulse.approvals.usecases import DecideApproval, decide_approval
from carapulse.executions import undoing, ways_back
from carapulse.executions.errors import AlreadyUndone, ExecutionNotOver, GoesBack, NothingToUndo
from carapulse.executions.model import Status
from carapulse.executions.reading import get_execution
from carapulse.executions.undoing import UndoExecution, undo_execution
from carapulse.executions.usecases import ExecutePlan, execute_plan
from carapulse.executions.wishes import CancelExecution, RetryStep, cancel_execution, retry_step
from carapulse.plans.ports import PlanFilter
from carapulse.plans.requests import CreatePlan
from carapulse.plans.steps import Retry
from carapulse.plans.usecases import create_plan, read_timeline, revise_plan


@pytest.fixture(autouse=True)
def no_patience(monkeypatch):
    """Let what is not as it was be looked at again at once."""
    monkeypatch.setattr(ways_back, "_PATIENT", Retry(attempts=2, backoff_s=0.02))


def undone(rig, execution_id, note=None):
    return undo_execution(execution_id, UndoExecution(note=note), a_call("grace"), rig.app)


def test_what_took_effect_is_undone_in_reverse_and_verified(rig):
    rig.world.on["attic"] = True
    run = rig.run(act("switch", "hall"), act("toggle", "cellar"), act("switch", "attic"), check("hall"))
    rig.world.effects.clear()

    plan = undone(rig, run.id, "it was the wrong evening")
    state = rig.finish(rig.start(plan, by="grace"))

    assert state.status is Status.SUCCEEDED
    assert rig.world.effects == ["PUT attic", "PUT cellar", "PUT hall"]
    assert rig.world.on == {"hall": False, "cellar": False, "attic": True}
    assert "it was the wrong evening" in plan.intent


def test_the_way_back_is_verified_by_what_was_captured(rig):
    run = rig.run(act("switch", "hall"), check("hall"))

    verify = undone(rig, run.id).steps[-1]

    assert (verify.stage, verify.tool, verify.action, verify.input) == ("verify", "lamp", "look", {"lamp": "hall"})
    (expected,) = verify.expect
    assert (expected.path, expected.op, expected.value) == ("@", "eq", {"lamp": "hall", "lit": False})


def test_of_two_changes_of_one_thing_what_was_before_the_first_is_verified(rig):
    off = {**act("switch", "hall"), "input": {"lamp": "hall", "lit": False}}
    rig.world.on["hall"] = True
    run = rig.run(off, act("switch", "hall", id="on"), check("hall"))
    assert run.status is Status.SUCCEEDED, run

    state = rig.finish(rig.start(undone(rig, run.id), by="grace"))

    assert (state.status, rig.world.on["hall"]) == (Status.SUCCEEDED, True)
    assert len([step for step in state.steps if step.facts.stage == "verify"]) == 1


def test_what_has_no_way_back_stays_and_is_named(rig):
    run = rig.run(act("switch", "hall"), act("ring", "attic", id="bell"), act("noop", "attic"), check("hall"))

    plan = undone(rig, run.id)

    assert plan.meta["stays"] == {"bell": "the step has no undo"}
    assert "bell stays as it is" in plan.intent
    assert [step.action for step in plan.steps if step.stage == "act"] == ["switch"]


def test_the_two_plans_name_each_other(rig):
    run = rig.run(act("switch", "hall"), check("hall"))

    plan = undone(rig, run.id)

    assert (plan.meta["undoes"], plan.meta["undoes_plan"]) == (run.id, run.plan_id)
    assert f"undo_plan {plan.plan_id}" in read_timeline(run.plan_id, a_call(), rig.app)[-1].said


def test_an_explicit_way_back_is_taken_as_it_is(rig):
    undo = {"tool": "lamp", "action": "switch", "input": {"lamp": "hall", "lit": False}}
    run = rig.run(act("toggle", "hall", undo=undo), check("hall"))

    plan = undone(rig, run.id)

    assert [(step.action, step.input) for step in plan.steps if step.stage == "act"] == [("switch", undo["input"])]


def test_the_new_plan_is_judged_like_any_other(rig):
    run = rig.finish(rig.start(rig.plan(act("switch", "hall"), check("hall"), environment="prod")))

    plan = undone(rig, run.id)

    assert (plan.status, plan.requested_by, plan.approvals_required > 0) == ("awaiting_approval", "grace", True)


def test_what_is_not_over_is_cancelled_instead(rig):
    execution = rig.start(rig.plan(act("switch", "hall"), check("hall")))

    with pytest.raises(ExecutionNotOver):
        undone(rig, execution)


def test_what_was_undone_is_not_undone_again_over_what_somebody_changed_since(rig):
    run = rig.run(act("switch", "hall"), check("hall"))
    assert rig.finish(rig.start(undone(rig, run.id), by="grace")).status is Status.SUCCEEDED
    rig.world.on["hall"] = True

    with pytest.raises(AlreadyUndone):
        undone(rig, run.id)
    assert rig.world.on["hall"] is True


def test_one_plan_at_a_time_goes_back_and_another_may_once_that_was_refused(rig):
    run = rig.finish(rig.start(rig.plan(act("switch", "hall"), check("hall"), environment="prod")))
    first = undone(rig, run.id)
    with pytest.raises(AlreadyUndone):
        undone(rig, run.id)

    denial = DecideApproval(plan_id=first.plan_id, status="denied", digest=first.digest)
    decide_approval(denial, a_call("lin", "approver"), rig.app)

    assert undone(rig, run.id).plan_id != first.plan_id


def test_what_left_nothing_is_not_undone(rig):
    rolled_back = rig.run(act("switch", "hall"), check("cellar"))
    rung = rig.run(act("ring", "hall", id="bell"), check("hall", on=False))
    plan = rig.plan(act("switch", "hall"), check("hall"))
    dry = rig.finish(execute_plan(plan.plan_id, ExecutePlan(dry_run=True), a_call(), rig.app).id)

    for run in (rolled_back, rung, dry):
        with pytest.raises(NothingToUndo):
            undone(rig, run.id)


def half_undone(rig):
    """Change three lamps, and go back on it while the one in the middle can't be switched."""
    rig.world.on.update(hall=False, cellar=False, attic=False)
    lamps = ("hall", "cellar", "attic")
    run = rig.run(*(act("switch", lamp, id=lamp) for lamp in lamps), check("hall"))
    rig.world.broken = {"PUT cellar"}
    back = rig.finish(rig.start(undone(rig, run.id), by="grace"))
    rig.world.broken = set()
    return run, back


def test_a_way_back_that_fails_is_tried_again_and_leaves_the_rest_undone_and_says_so(rig):
    _, back = half_undone(rig)

    assert rig.world.on == {"hall": False, "cellar": True, "attic": False}
    assert (back.status, back.cause) == (Status.ROLLBACK_FAILED, "failed")
    assert back.left[0] == "undo-2"
    assert [step.run.status.value for step in back.steps if step.facts.id in back.left] == ["failed", "failed"]
    assert back.step("undo-2").run.attempts == 3
    assert all(step.undo is None for step in back.steps)
    assert replayed(rig.app, back.plan_id) == back
    shown = get_execution(back.id, a_call(), rig.app)
    assert (shown.undoes, shown.left) == (back.undoes, back.left)
    said = [entry.said for entry in read_timeline(back.plan_id, a_call(), rig.app)]
    assert any(f"execution started: undoes {back.undoes}" in each for each in said)
    assert said[-1] == f"execution finished: status rollback_failed, cause failed, left {' '.join(back.left)}"


def test_a_way_back_is_tried_three_times_whatever_its_action_says_of_retries(rig):
    undo = {"tool": "lamp", "action": "noop", "input": {"lamp": "hall"}}
    run = rig.run(act("toggle", "hall", undo=undo), check("hall"))
    rig.world.broken = {"noop hall"}

    back = rig.finish(rig.start(undone(rig, run.id), by="grace"))

    assert (back.step("undo-1").run.attempts, back.left[0]) == (3, "undo-1")


def test_what_is_left_of_it_is_gone_back_on_by_another_plan_and_no_more_than_that(rig):
    run, _ = half_undone(rig)
    rig.world.on["attic"] = True  # somebody changed it since
    rig.world.effects.clear()

    plan = undone(rig, run.id)
    state = rig.finish(rig.start(plan, by="grace"))

    assert (state.status, rig.world.effects) == (Status.SUCCEEDED, ["PUT cellar"])
    assert plan.meta["undoes_steps"] == {"undo-1": "cellar"}
    with pytest.raises(AlreadyUndone):
        undone(rig, run.id)


def test_what_was_gone_back_on_but_is_not_as_it_was_is_gone_back_on_again(rig):
    useless = {"tool": "lamp", "action": "switch", "input": {"lamp": "hall", "lit": True}}
    toggle = act("toggle", "hall", id="hall", undo=useless)
    run = rig.run(toggle, act("switch", "attic", id="attic"), check("hall"))
    back = rig.finish(rig.start(undone(rig, run.id), by="grace"))
    assert (back.status, len(back.left)) == (Status.ROLLBACK_FAILED, 1)

    assert undone(rig, run.id).meta["undoes_steps"] == {"undo-1": "hall"}


def test_what_was_gone_back_on_and_is_done_again_is_gone_back_on_again(rig):
    run, back = half_undone(rig)
    forth = rig.finish(rig.start(undone(rig, back.id), by="grace"))
    assert (forth.status, rig.world.on) == (Status.SUCCEEDED, {"hall": True, "cellar": True, "attic": True})

    assert list(undone(rig, run.id).meta["undoes_steps"].values()) == ["attic", "cellar", "hall"]


def test_what_is_gone_back_on_over_what_is_left_of_the_same_thing_is_gone_back_on_after_it(rig):
    off = {**act("switch", "hall", id="off"), "input": {"lamp": "hall", "lit": False}}
    run = rig.run(act("switch", "hall", id="on"), off, act("switch", "attic", id="attic"), check("attic"))
    plan = undone(rig, run.id)
    assert list(plan.meta["undoes_steps"].values()) == ["attic", "off", "on"]
    rig.world.busy = {"PUT hall": 3}
    assert rig.finish(rig.start(plan, by="grace")).left[0] == "undo-2"

    again = undone(rig, run.id)

    assert list(again.meta["undoes_steps"].values()) == ["off", "on"]
    assert rig.finish(rig.start(again, by="grace")).status is Status.SUCCEEDED
    assert rig.world.on["hall"] is False


def test_a_cancel_of_it_keeps_what_was_gone_back_on_and_leaves_the_rest(rig):
    run = rig.run(act("switch", "hall"), act("switch", "attic"), check("hall"))
    rig.world.effects.clear()
    execution = rig.start(undone(rig, run.id), by="grace")

    with pytest.raises(GoesBack):
        cancel_execution(execution, CancelExecution(undo=True), a_call("grace"), rig.app)
    state = cancel_execution(execution, CancelExecution(), a_call("grace"), rig.app)

    assert (state.status, state.left[:2], rig.world.effects) == (Status.CANCELLED, ("undo-1", "undo-2"), [])
    assert undone(rig, run.id).status == "approved"


def test_a_revision_of_it_still_goes_back_and_may_let_a_person_have_a_failure_tried_again(rig):
    run = rig.run(act("switch", "hall", id="hall"), check("hall"))
    off = {**act("switch", "hall", id="undo-1"), "input": {"lamp": "hall", "lit": False}}
    asked = {"summary": "Back", "context": {"environment": "dev"}, "constraints": {"on_failure": "hold"}}
    wanted = CreatePlan.model_validate({**asked, "steps": [off, check("hall", on=False)]})
    plan = revise_plan(undone(rig, run.id).plan_id, wanted, a_call("grace"), rig.app)
    rig.world.broken = {"PUT hall"}
    held = rig.finish(rig.start(plan, by="grace"))
    rig.world.broken = set()
    assert (held.status, held.left, held.undoes) == (Status.NEEDS_HUMAN, ("undo-1",), run.id)

    retry_step(held.id, RetryStep(step_id="undo-1", note="it is there again"), a_call(), rig.app)

    assert (rig.finish(held.id).status, rig.world.on["hall"]) == (Status.SUCCEEDED, False)


def test_a_dry_run_of_it_goes_back_on_nothing(rig):
    run = rig.run(act("switch", "hall"), check("hall"))
    plan = undone(rig, run.id)

    dry = rig.finish(execute_plan(plan.plan_id, ExecutePlan(dry_run=True), a_call(), rig.app).id)

    assert (dry.status, dry.undoes, dry.left) == (Status.SUCCEEDED, None, ())


def test_of_those_who_ask_at_once_one_goes_back(rig, monkeypatch):
    run = rig.run(act("switch", "hall"), check("hall"))
    together = threading.Barrier(3)

    def once_all_are_here(*asked):
        together.wait(10)
        return create_plan(*asked)

    def ask(_):
        try:
            return undone(rig, run.id).plan_id
        except AlreadyUndone as problem:
            return problem.facts["undo_plan_id"]

    monkeypatch.setattr(undoing, "create_plan", once_all_are_here)
    with ThreadPoolExecutor(3) as askers:
        told = set(askers.map(ask, range(3)))

    with rig.app.begin(a_call()) as work:
        back = [each for each in work.plans.page(PlanFilter()).data if each.id != run.plan_id]
    assert len(back) == 3
    assert {each.id for each in back if each.is_open} == told
    assert len(told) == 1
