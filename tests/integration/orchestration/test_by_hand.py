"""What a machine is told and how it is looked after, with the test in the machine's place."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import insert, text
from tests.world.by_hand import ByHand
from tests.world.rig import a_call, act, check
from tests.world.server import a_world

from carapulse.adapters.sealing import AesGcmSealer
from carapulse.broker.envelope import MessageForged
from carapulse.executions.advancing import note_and_advance
from carapulse.executions.errors import StepBusy
from carapulse.executions.events import StepStarted
from carapulse.executions.tables import run_leases
from carapulse.executions.usecases import ExecutePlan, execute_plan, look_after_overdue
from carapulse.executions.wishes import CancelExecution, cancel_execution
from carapulse.kernel.call import Actor, Scope
from carapulse.kernel.errors import Unavailable
from carapulse.orchestration.attempting import abandon_attempt, attempt_step
from carapulse.orchestration.consumers import conduct
from carapulse.orchestration.machines import conduct_plan
from carapulse.orchestration.messages import ConductPlan
from carapulse.orchestration.model import Asked, MachineStatus, StepOf
from carapulse.orchestration.reference import said
from carapulse.plans.ending import cancel_plan
from carapulse.plans.requests import CancelPlan, CreatePlan
from carapulse.plans.usecases import create_plan
from carapulse.policy.errors import PolicyDenied
from carapulse.runtime.areas import handlers
from carapulse.runtime.workers import Workers


@pytest.fixture(scope="module")
def rig(module_database, tmp_path_factory):
    with a_world() as world:
        one = ByHand(module_database.app_url, world, tmp_path_factory.mktemp("by-hand"))
        yield one
        one.close()


@pytest.fixture(autouse=True)
def _anew(rig):
    rig.machines.statuses.clear()
    rig.machines.told.clear()


def waiting(rig):
    with rig.app.begin(a_call()) as work:
        rows = work.connection.exec_driver_sql("SELECT type, last_error, attempts FROM messages")
        return [tuple(row) for row in rows if row.attempts]


def test_a_plan_that_policy_refused_needs_no_machine(rig):
    bounds = {"allowed_environments": ["dev"]}
    with pytest.raises(PolicyDenied):
        rig.plan(act("switch", "hall"), check("hall"), environment="prod", constraints=bounds)
    rig.workers.run_until_idle()

    assert waiting(rig) == []


def standing(rig, plan_id):
    with rig.app.begin(a_call()) as work:
        return [wait.asked for wait in work.machines.standing(plan_id)]


def running(rig, execution, place):
    """Have a step of an execution be worked on by somebody who is lost, and return its id."""
    with rig.app.begin(a_call()) as work:
        state = work.executions.lock(execution)
        step = state.steps[place].facts.id
        names = {"execution_id": execution, "step_id": step, "phase": "run"}
        note_and_advance(work, state, StepStarted(**names, attempt=1, fence=state.fences + 1, lease="lost"))
    return step


def test_a_late_word_about_a_lost_machine_does_not_make_the_next_one_deaf(rig):
    plan_id = rig.settled()
    rig.machines.statuses[f"{plan_id}-1"] = MachineStatus.FAILED
    late = ConductPlan(plan_id=plan_id, ended=1)
    conduct_plan(late, a_call(), rig.app)
    rig.workers.run_until_idle()
    rig.asks(plan_id, Asked.AWAIT_START, "second", generation=2)
    with rig.app.begin(a_call()) as work:
        assert not work.machines.ended(plan_id, 1)
    conduct_plan(late, a_call(), rig.app)

    assert standing(rig, plan_id) == [Asked.AWAIT_START]
    assert f"{plan_id}-3" not in rig.machines.started


def test_a_machine_that_nobody_can_ask_about_keeps_no_other_from_being_looked_after(rig):
    plans = [rig.settled() for _ in range(3)]
    rig.machines.statuses[f"{plans[0]}-1"] = Unavailable("Step Functions refused", code="ThrottlingException")
    for plan_id in plans[1:]:
        rig.machines.statuses[f"{plan_id}-1"] = MachineStatus.GONE
    rig.look_after()
    rig.workers.run_until_idle()

    assert {f"{plan_id}-2" for plan_id in plans[1:]} <= rig.machines.started.keys()


def test_a_machine_that_is_stopped_does_not_undo_what_a_person_wanted_kept(rig):
    plan_id = rig.settled()
    execution = execute_plan(plan_id, ExecutePlan(), a_call(), rig.app).id
    running(rig, execution, 0)
    cancel_execution(execution, CancelExecution(undo=False), a_call(), rig.app)
    rig.machines.statuses[f"{plan_id}-1"] = MachineStatus.ABORTED
    rig.look_after()

    assert rig.state(execution).cancel_undo is False


def test_of_what_can_not_be_attempted_only_that_step_is_ended(rig):
    plan_id = rig.settled(act("switch", "one"), act("switch", "two"), check("one"), constraints={"max_concurrency": 2})
    execution = execute_plan(plan_id, ExecutePlan(), a_call(), rig.app).id
    second = rig.state(execution).steps[1].facts.id
    abandon_attempt(rig.attempt(plan_id, execution, second), "nobody can", a_call("state-machine"), rig.app)

    assert [step.run.status for step in rig.state(execution).steps] == ["waiting", "failed", "waiting"]


def test_an_attempt_takes_over_its_own_step_alone(rig):
    plan_id = rig.settled(
        act("switch", "third"), act("switch", "fourth"), check("third"), constraints={"max_concurrency": 2}
    )
    execution = execute_plan(plan_id, ExecutePlan(), a_call(), rig.app).id
    running(rig, execution, 0)
    second = rig.state(execution).steps[1].facts.id
    attempt_step(rig.attempt(plan_id, execution, second), a_call("state-machine"), rig.app)

    assert [step.run.status for step in rig.state(execution).steps] == ["running", "succeeded", "waiting"]


def test_a_question_about_a_busy_step_is_asked_again_only_while_the_machine_listens(rig):
    plan_id = rig.settled()
    execution = execute_plan(plan_id, ExecutePlan(), a_call(), rig.app).id
    step = running(rig, execution, 0)
    with rig.app.begin(a_call()) as work:
        held = {"tenant": "acme", "id": "lost", "execution_id": execution}
        until = datetime.now(UTC) + timedelta(minutes=1)
        work.connection.execute(insert(run_leases).values(**held, until=until))
    with pytest.raises(StepBusy):
        attempt_step(rig.attempt(plan_id, execution, step, "heard"), a_call("state-machine"), rig.app)
    rig.machines.deaf.add("former")
    attempt_step(rig.attempt(plan_id, execution, step, "former"), a_call("state-machine"), rig.app)

    assert rig.machines.beats == ["heard"]


def test_a_step_that_no_change_has_is_left(rig):
    plan_id = rig.settled()
    execution = execute_plan(plan_id, ExecutePlan(), a_call(), rig.app).id
    nowhere = StepOf(execution_id=execution, step_id="nowhere", phase="run")

    assert rig.asks(plan_id, Asked.AWAIT_TURN, step=nowhere) == [{}]


def test_what_comes_to_pass_by_itself_is_in_the_log_as_the_requesters(rig):
    plan_id = rig.settled()
    execution = execute_plan(plan_id, ExecutePlan(), a_call(), rig.app).id
    with rig.app.begin(a_call()) as work:
        state = work.executions.lock(execution)
        late = state.model_copy(update={"deadline_at": datetime.now(UTC)})
        work.executions.replace(late, since=state, look_at=None)

    assert [told["next"] for told in rig.asks(plan_id, Asked.DECIDE)] == ["TimedOut"]
    with rig.app.begin(a_call()) as work:
        query = text("SELECT type, actor FROM events WHERE stream = :plan ORDER BY seq DESC LIMIT 2")
        said = work.connection.execute(query, {"plan": plan_id}).all()
    assert said == [("ExecutionFinished", "ada"), ("DeadlinePassed", "ada")]


def test_an_attempt_sends_nobody_to_what_the_machine_hands_out_itself(rig):
    plan_id = rig.settled()
    execution = execute_plan(plan_id, ExecutePlan(), a_call(), rig.app).id
    rig.workers.run_until_idle()
    attempt_step(
        rig.attempt(plan_id, execution, rig.state(execution).steps[0].facts.id), a_call("state-machine"), rig.app
    )
    with rig.app.begin(a_call()) as work:
        sent = work.connection.execute(text("SELECT type FROM messages")).scalars().all()

    assert sent == []


def test_a_machine_that_can_not_be_told_now_keeps_no_other_from_going_on(rig):
    plan_id = rig.settled()
    rig.asks(plan_id, Asked.AWAIT_START, "throttled")
    rig.asks(plan_id, Asked.AWAIT_START, "heard")
    execute_plan(plan_id, ExecutePlan(), a_call(), rig.app)
    rig.machines.away.add("throttled")
    with pytest.raises(Unavailable):
        conduct_plan(ConductPlan(plan_id=plan_id), a_call(), rig.app)
    rig.machines.away.clear()
    assert len(standing(rig, plan_id)) == 1
    conduct_plan(ConductPlan(plan_id=plan_id), a_call(), rig.app)

    assert sorted(token for token, _ in rig.machines.told) == ["heard", "throttled"]
    assert standing(rig, plan_id) == []


def test_whoever_moved_a_plan_need_not_see_it_for_its_machine_to_go_on(rig):
    rig.workers.run_until_idle()
    plan = rig.plan(act("switch", "yard"), check("yard"))
    narrow = Actor(id="eve", roles=frozenset({"operator"}), scope=Scope(environments=frozenset({"elsewhere"})))
    conduct(ConductPlan(plan_id=plan.plan_id), a_call().model_copy(update={"actor": narrow}), rig.app)

    assert f"{plan.plan_id}-1" in rig.machines.started


def test_a_token_that_is_answered_after_its_time_changes_nothing(rig):
    plan_id = rig.settled()
    rig.machines.deaf.add("late")

    assert rig.asks(plan_id, Asked.DECIDE, "late") == []
    assert [told["next"] for told in rig.asks(plan_id, Asked.DECIDE, "anew")] == [Asked.AWAIT_START]


def test_a_change_that_was_signed_with_another_key_is_not_believed(rig):
    plan_id = rig.settled()
    asking = {"change": rig.machines.started[f"{plan_id}-1"], "asked": "Decide", "token": "t"}

    assert said(asking, rig.app.sealer).change.plan_id == plan_id
    with pytest.raises(MessageForged):
        said(asking, AesGcmSealer(bytes(32)))


def test_a_question_that_never_came_is_asked_by_another_machine(rig):
    plan_id = rig.settled()
    rig.asks(plan_id, Asked.DECIDE)
    rig.look_after()
    assert f"{plan_id}-2" not in rig.machines.started

    with rig.app.begin(a_call()) as work:
        work.connection.exec_driver_sql("UPDATE machines SET moved_at = clock_timestamp() - interval '20 minutes'")
    rig.look_after()
    rig.workers.run_until_idle()

    assert f"{plan_id}-2" in rig.machines.started
    assert [each for each in rig.machines.stopped if plan_id in each] == [f"{plan_id}-1: what it asked was lost"]
    assert [told["next"] for told in rig.asks(plan_id, Asked.DECIDE, "too late")] == ["Broken"]


def carried_on(rig, execution, orchestrator):
    """Have workers of an orchestrator do what there is to do about an execution, the clock included."""
    with rig.app.begin(a_call()) as work:
        work.connection.execute(
            text("UPDATE executions SET look_at = clock_timestamp() WHERE id = :id"), {"id": execution}
        )
    app = rig.app if orchestrator == "step-functions" else replace(rig.app, configured_machines=None)
    look_after_overdue(a_call("scheduler"), app)
    Workers(app.queue, handlers(orchestrator), app, app.clock, 1, 20, 8).run_until_idle()


def test_a_change_that_a_machine_began_is_ended_by_workers_alone_once_they_are_chosen(rig):
    execution = execute_plan(rig.settled(), ExecutePlan(), a_call(), rig.app).id
    carried_on(rig, execution, "step-functions")
    assert rig.state(execution).status == "running"
    carried_on(rig, execution, "queue")

    assert rig.state(execution).status == "succeeded"


def test_a_change_that_workers_began_has_a_machine_once_that_is_chosen(rig):
    alone = replace(rig.app, configured_machines=None)
    command = {"summary": "Light it", "context": {"environment": "dev"}, "steps": (act("switch", "inn"), check("inn"))}
    plan = create_plan(CreatePlan.model_validate(command), a_call(), alone)
    execution = execute_plan(plan.plan_id, ExecutePlan(), a_call(), alone).id
    carried_on(rig, execution, "step-functions")

    assert f"{plan.plan_id}-1" in rig.machines.started
    assert [told["next"] for told in rig.asks(plan.plan_id, Asked.DECIDE)] == ["ActSteps"]


def test_a_machine_has_time_to_end_by_itself_and_one_that_listens_is_told(rig):
    plan_id = rig.settled()
    rig.asks(plan_id, Asked.AWAIT_START, "waiting")
    execution = execute_plan(plan_id, ExecutePlan(), a_call(), rig.app).id
    cancel_execution(execution, CancelExecution(), a_call(), rig.app)
    for _ in range(2):
        rig.look_after()

    assert ("waiting", {}) in rig.machines.told
    assert not any(plan_id in each for each in rig.machines.stopped)


def test_a_machine_that_does_not_hear_that_its_plan_was_taken_back_is_stopped(rig):
    plan_id = rig.settled()
    rig.look_after()
    assert not any(plan_id in each for each in rig.machines.stopped)
    cancel_plan(plan_id, CancelPlan(reason="not needed"), a_call(), rig.app)
    for _ in range(2):
        rig.look_after()

    assert len([each for each in rig.machines.stopped if plan_id in each]) == 1
