"""A dry run shows what a plan would do, changes nothing, and leaves the plan and its approval as they were."""

import pytest
from tests.integration.test_executions import rows
from tests.world.rig import a_call, act, check

from carapulse.approvals.ports import ApprovalFilter
from carapulse.approvals.usecases import list_approvals, revoke_approval
from carapulse.executions.model import Effect, Status, StepStatus
from carapulse.executions.usecases import ExecutePlan, execute_plan
from carapulse.kernel.errors import Denied
from carapulse.plans.errors import PlanNotOpen
from carapulse.plans.requests import CreatePlan
from carapulse.plans.usecases import get_plan, read_timeline, revise_plan

DRY = ExecutePlan(dry_run=True)
LOOK = {"stage": "diagnose", "tool": "lamp", "action": "look", "input": {"lamp": "hall"}, "id": "look"}


def tried(rig, plan, by="ada"):
    return rig.finish(execute_plan(plan.plan_id, DRY, a_call(by), rig.app).id)


def shown_of(rig, plan):
    shown = get_plan(plan.plan_id, a_call(), rig.app).dry_run
    assert shown is not None
    return shown


def said(rig, plan):
    shown = shown_of(rig, plan)
    return {step.step_id: step.said for step in shown.steps}


def test_a_dry_run_asks_tools_that_can_be_asked_and_simulates_the_others(rig):
    plan = rig.plan(LOOK, act("switch", "hall", id="on"), act("toggle", "attic", id="turn"), check("hall"))

    state = tried(rig, plan)

    assert (state.status, state.dry_run, state.left) == (Status.SUCCEEDED, True, ())
    assert rig.world.effects == ["dry-run hall"]
    assert {step.run.effect for step in state.steps} == {Effect.NONE}
    assert '"lit"' in said(rig, plan)["on"]
    assert said(rig, plan)["turn"] == "simulated: lamp toggle would change lamp:attic"


def test_approvers_see_the_newest_dry_run_of_the_version_that_they_decide_about(rig):
    plan = rig.plan(act("switch", "hall"), check("hall"), environment="prod")

    first, second = tried(rig, plan), tried(rig, plan)

    shown = shown_of(rig, plan)
    assert first.id != second.id == shown.execution_id
    assert (shown.status, shown.version, shown.finished_at) == ("succeeded", 1, second.finished_at)


def test_a_dry_run_of_an_older_version_is_not_shown(rig):
    plan = rig.plan(act("switch", "hall"), check("hall"))
    tried(rig, plan)
    steps = [act("switch", "attic"), check("attic")]
    command = {"summary": "Another lamp", "context": {"environment": "dev"}, "steps": steps}

    revise_plan(plan.plan_id, CreatePlan.model_validate(command), a_call(), rig.app)

    assert get_plan(plan.plan_id, a_call(), rig.app).dry_run is None


def test_a_dry_run_uses_no_approval_and_holds_nothing(rig, database):
    plan = rig.plan(act("switch", "hall"), check("hall"), environment="prod")
    begun = [execute_plan(plan.plan_id, DRY, a_call(), rig.app).id for _ in range(2)]

    assert rows(database, "SELECT * FROM target_locks") == []
    assert [rig.finish(each).status for each in begun] == [Status.SUCCEEDED] * 2
    after = get_plan(plan.plan_id, a_call(), rig.app)
    approvals = list_approvals(ApprovalFilter(plan_id=plan.plan_id), a_call(), rig.app).data
    assert (after.status, after.execution_id) == (plan.status, None)
    assert [each.status for each in approvals] == ["pending"]
    assert rig.finish(rig.start(plan)).status is Status.SUCCEEDED


def test_a_failing_dry_run_undoes_and_asks_nothing(rig):
    rig.world.broken = {"dry-run attic"}
    plan = rig.plan(act("switch", "hall"), act("switch", "attic"), check("hall"), constraints={"on_failure": "hold"})

    state = tried(rig, plan)

    assert (state.status, state.left) == (Status.FAILED, ())
    assert all(step.undo is None for step in state.steps)
    assert rig.world.effects == ["dry-run hall"]


def test_a_precondition_that_does_not_hold_fails_the_dry_run(rig):
    look = {**LOOK, "expect": [{"path": "lit", "op": "eq", "value": True}]}

    state = tried(rig, rig.plan(look, act("switch", "hall"), check("hall")))

    assert (state.status, rig.world.effects) == (Status.FAILED, [])


def test_what_only_a_real_run_gives_is_said_and_not_missed(rig):
    first = act("noop", "hall", id="first")
    second = act("switch", "attic", id="second", depends_on=["first"])
    second["input"] = {"lamp": "attic"}
    second["input_from"] = {"lit": {"step": "first", "path": "lit"}}

    plan = rig.plan(first, second, check("attic"))
    state = tried(rig, plan)

    assert state.status is Status.SUCCEEDED
    assert said(rig, plan)["second"] == "simulated: lamp switch; only a real run gives its lit"
    assert rig.world.effects == []


def test_what_a_read_gives_is_used(rig):
    second = act("switch", "attic", id="second")
    second["input"] = {"lamp": "attic"}
    second["input_from"] = {"lit": {"step": "look", "path": "lit"}}

    state = tried(rig, rig.plan(LOOK, second, check("attic", on=False)))

    assert state.status is Status.SUCCEEDED
    assert rig.world.effects == ["dry-run attic"]


def test_a_condition_on_what_was_only_simulated_skips_nothing(rig):
    second = act("switch", "attic", id="second", depends_on=["first"], when="steps.first.output.lit")

    state = tried(rig, rig.plan(act("noop", "hall", id="first"), second, check("attic")))

    assert state.step("second").run.status is StepStatus.SUCCEEDED


def test_what_is_not_open_any_more_is_not_tried_out(rig):
    plan = rig.plan(act("switch", "hall"), check("hall"), environment="prod")
    revoke_approval(plan.plan_id, a_call("grace", "approver"), rig.app)

    with pytest.raises(PlanNotOpen):
        execute_plan(plan.plan_id, DRY, a_call(), rig.app)


def test_whom_policy_does_not_know_tries_nothing_out(rig):
    plan = rig.plan(act("switch", "hall"), check("hall"))

    with pytest.raises(Denied):
        execute_plan(plan.plan_id, DRY, a_call("eve", "stranger"), rig.app)


def test_a_dry_run_is_told_as_one_in_the_timeline(rig):
    plan = rig.plan(act("switch", "hall"), check("hall"))
    tried(rig, plan)
    rig.finish(rig.start(plan))

    told = [each.said for each in read_timeline(plan.plan_id, a_call(), rig.app) if each.type == "ExecutionStarted"]

    assert [("dry_run yes" in each, "dry_run no" in each) for each in told] == [(True, False), (False, False)]
