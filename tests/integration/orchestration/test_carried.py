"""Changes that a state machine carries end as they do on queues alone, and the machine says how."""

import pytest
from tests.world.conducted import Conducted
from tests.world.rig import a_call, act, check
from tests.world.server import a_world

from carapulse.approvals.usecases import DecideApproval, decide_approval
from carapulse.executions.usecases import ExecutePlan, execute_plan
from carapulse.executions.wishes import PauseExecution, ResumeExecution, pause_execution, resume_execution
from carapulse.plans.ending import cancel_plan
from carapulse.plans.requests import CancelPlan


@pytest.fixture
def rig(database, tmp_path, machine):
    machine.forget()
    with a_world() as world:
        one = Conducted(database.app_url, world, tmp_path / "data", machine)
        with one.working():
            yield one
        one.close()


def ended(rig):
    """Wait for the one machine to end, and return how, and the states of the change that it was in."""
    (arn,) = rig.machine.executions()
    rig.until(lambda: rig.machine.status(arn) != "RUNNING")
    places = [each for each in rig.machine.entered(arn) if each not in {"Decide", "Next", "Turn", "Left"}]
    return rig.machine.status(arn), places


def test_a_change_goes_through_the_machines_states(rig):
    plan = rig.plan(act("switch", "hall"), check("hall"))
    rig.stands("AwaitStart")

    assert rig.finish(rig.start(plan)).status == "succeeded"
    assert ended(rig) == ("SUCCEEDED", ["AwaitStart", "ActSteps", "Attempt", "VerifySteps", "Attempt", "Succeeded"])


def test_a_change_waits_for_its_approval_in_the_machine(rig):
    plan = rig.plan(act("switch", "hall"), check("hall"), environment="prod")
    rig.stands("AwaitApproval")
    rig.approve(plan)
    rig.stands("AwaitStart")
    execution = execute_plan(plan.plan_id, ExecutePlan(), a_call(), rig.app).id

    assert rig.finish(execution).status == "succeeded"
    assert ended(rig)[1][:3] == ["AwaitApproval", "AwaitStart", "ActSteps"]


def test_what_did_not_help_is_undone_by_the_machine(rig):
    state = rig.finish(rig.start(rig.plan(act("switch", "hall"), act("switch", "attic"), check("cellar"))))

    assert state.status == "rolled_back"
    status, places = ended(rig)
    assert status == "FAILED"
    assert places[-4:] == ["UndoSteps", "Attempt", "Attempt", "RolledBack"]


def test_a_refusal_ends_the_machine(rig):
    plan = rig.plan(act("switch", "hall"), check("hall"), environment="prod")
    rig.stands("AwaitApproval")
    command = DecideApproval(plan_id=plan.plan_id, status="denied", digest=plan.digest)
    decide_approval(command, a_call("grace", "approver"), rig.app)

    assert ended(rig) == ("FAILED", ["AwaitApproval", "Denied"])


def test_what_nobody_answers_expires_and_ends_the_machine(rig):
    plan = rig.plan(act("switch", "hall"), check("hall"), environment="prod")
    rig.stands("AwaitApproval")
    rig.rows("UPDATE approvals SET expires_at = clock_timestamp() RETURNING id")
    rig.rows(
        "UPDATE messages SET available_at = clock_timestamp(), receipt = NULL WHERE type = 'ExpireApproval' RETURNING id"
    )
    rig.tick()

    assert ended(rig) == ("FAILED", ["AwaitApproval", "Expired"])
    assert rig.rows("SELECT status FROM plans WHERE id = :id", id=plan.plan_id) == [("expired",)]


def test_a_plan_that_is_taken_back_ends_the_machine(rig):
    plan = rig.plan(act("switch", "hall"), check("hall"))
    rig.stands("AwaitStart")
    cancel_plan(plan.plan_id, CancelPlan(reason="not needed"), a_call(), rig.app)

    assert ended(rig) == ("FAILED", ["AwaitStart", "Withdrawn"])


def test_a_fan_out_is_as_wide_in_the_machine_as_the_plan_says(rig):
    lamps = [f"lamp-{number}" for number in range(4)]
    step = act("ring", "x", id="each", for_each={"values": lamps, "max_concurrency": 2})
    bells = {**step, "input": {"lamp": {"$each": "@"}}}
    state = rig.finish(rig.start(rig.plan(bells, check("hall", on=False))))

    assert state.status == "succeeded"
    assert rig.world.counts == {f"ring {lamp}": 1 for lamp in lamps}
    assert ended(rig)[1].count("Attempt") >= len(lamps)


def test_a_pause_is_where_a_person_is_awaited(rig):
    execution = rig.start(rig.plan(act("switch", "hall"), check("hall")))
    pause_execution(execution, PauseExecution(), a_call(), rig.app)
    rig.stands("AwaitPerson")
    resume_execution(execution, ResumeExecution(), a_call(), rig.app)

    assert rig.finish(execution).status == "succeeded"
    assert ended(rig)[0] == "SUCCEEDED"
