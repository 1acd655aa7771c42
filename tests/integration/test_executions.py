"""A plan becomes effects on a world, exactly as approved, and is undone when it did not help."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from tests.world.replay import replayed
from tests.world.rig import a_call, act, check

from carapulse.approvals.usecases import revoke_approval
from carapulse.executions.errors import ExecutionOver, TargetLocked
from carapulse.executions.model import Cause, Effect, Status, StepStatus
from carapulse.executions.usecases import ExecutePlan, execute_plan
from carapulse.executions.wishes import CancelExecution, cancel_execution
from carapulse.kernel.errors import Conflict, Denied, NotFound, Problem


def test_a_change_that_helps_succeeds(rig):
    state = rig.run(act("switch", "hall"), check("hall"))

    assert (state.status, state.cause, state.left) == (Status.SUCCEEDED, None, ())
    assert rig.world.effects == ["PUT hall"]


def test_a_first_step_whose_state_before_is_slow_to_read_is_done_all_the_same(rig):
    rig.world.delays = {"GET hall": 1.5}

    state = rig.run(act("switch", "hall"), check("attic", on=False))

    assert state.status is Status.SUCCEEDED
    assert rig.world.effects == ["PUT hall"]


def test_a_change_that_does_not_help_is_undone_in_reverse(rig):
    rig.world.on["attic"] = True

    state = rig.run(act("switch", "hall"), act("switch", "attic"), check("cellar"))

    assert state.status is Status.ROLLED_BACK
    assert rig.world.effects == ["PUT hall", "PUT attic", "PUT attic", "PUT hall"]
    assert rig.world.on == {"hall": False, "attic": True}


def test_a_refused_request_changed_nothing_and_is_not_undone(rig):
    rig.world.broken = {"PUT attic"}

    state = rig.run(act("switch", "hall"), act("switch", "attic"), check("hall"))

    assert state.status is Status.ROLLED_BACK
    assert rig.world.effects == ["PUT hall", "PUT hall"]
    error = state.steps[1].run.error
    assert error is not None
    assert error.code == "tool-failed"


def test_a_cut_connection_on_a_repeatable_write_is_repeated(rig):
    rig.world.cut = {"PUT hall"}
    execution = rig.start(rig.plan(act("switch", "hall"), check("hall")))

    state = rig.finish(execution)

    assert state.status is Status.ROLLBACK_FAILED
    assert state.left == ("s1",) or state.left == (state.steps[0].facts.id,)
    assert rig.world.counts["PUT hall"] >= 3


def test_a_cut_connection_is_cleared_up_by_the_probe(rig):
    rig.world.cut = {"toggle hall"}

    state = rig.run(act("toggle", "hall"), check("hall"))

    assert state.status is Status.SUCCEEDED
    assert rig.world.counts["toggle hall"] == 1


def test_a_write_that_nobody_can_look_up_or_repeat_waits_for_a_person(rig):
    rig.world.cut = {"ring hall"}

    state = rig.run(act("ring", "hall"), check("hall", on=False))

    assert (state.status, state.cause) == (Status.NEEDS_HUMAN, Cause.UNKNOWN)
    assert rig.world.counts["ring hall"] == 1


def test_a_failing_undo_says_what_is_left(rig):
    execution = rig.start(rig.plan(act("switch", "hall"), check("hall", on=False)))
    rig.world.broken = set()
    original = rig.world.on

    class BreaksAfterFirst(dict[str, bool]):
        def __setitem__(self, key, value):
            super().__setitem__(key, value)
            rig.world.broken.add("PUT hall")

    rig.world.on = BreaksAfterFirst(original)

    state = rig.finish(execution)

    assert (state.status, len(state.left)) == (Status.ROLLBACK_FAILED, 1)


def test_a_busy_system_is_asked_again(rig):
    rig.world.busy = {"GET hall": 2}

    state = rig.run(act("switch", "attic"), check("attic"), {**check("hall", on=False, attempts=4)})

    assert state.status is Status.SUCCEEDED
    assert state.steps[-1].run.attempts == 3


def test_a_verification_that_cannot_be_asked_undoes_the_change(rig):
    rig.world.busy = {"GET cellar": 100}

    state = rig.run(act("switch", "hall"), check("cellar", attempts=2))

    assert state.status is Status.ROLLED_BACK
    assert rig.world.on["hall"] is False


def test_an_execution_is_what_its_log_says(rig):
    rig.world.busy = {"GET cellar": 1}
    state = rig.run(act("switch", "hall"), act("toggle", "attic"), check("cellar", attempts=3))

    assert replayed(rig.app, state.plan_id) == state


def test_of_many_who_execute_a_plan_one_does(rig):
    plan = rig.plan(act("switch", "hall"), check("hall"))

    def try_it(_):
        try:
            return execute_plan(plan.plan_id, ExecutePlan(), a_call(), rig.app).id
        except Conflict as problem:
            return problem.code

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(try_it, range(20)))

    assert sum(answer.startswith("exec_") for answer in answers) == 1


def test_a_plan_is_executed_once(rig):
    plan = rig.plan(act("switch", "hall"), check("hall"))
    rig.finish(rig.start(plan))

    with pytest.raises(Conflict):
        execute_plan(plan.plan_id, ExecutePlan(), a_call(), rig.app)


def test_two_changes_of_one_target_do_not_run_together(rig):
    first, second = (rig.plan(act("switch", "hall"), check("hall")) for _ in range(2))
    rig.start(first)

    with pytest.raises(TargetLocked):
        rig.start(second)


def test_what_waits_for_approval_is_not_executed(rig):
    plan = rig.plan(act("ring", "hall"), check("hall", on=False))
    assert plan.approvals_required == 1

    with pytest.raises(Problem) as refused:
        execute_plan(plan.plan_id, ExecutePlan(), a_call(), rig.app)

    assert isinstance(refused.value, (Denied, Conflict))
    assert rig.world.effects == []


def test_an_approval_that_is_revoked_stops_the_next_step(rig):
    plan = rig.plan(act("ring", "hall"), act("ring", "attic"), check("hall", on=False))
    execution = rig.start(plan)
    revoke_approval(plan.plan_id, a_call("grace", "approver"), rig.app)

    state = rig.finish(execution)

    assert state.status is Status.FAILED
    assert rig.world.effects == []
    error = state.steps[0].run.error
    assert error is not None
    assert error.code == "step-refused"


def test_a_plan_changed_in_the_database_is_not_run(rig, database):
    plan = rig.plan(act("switch", "hall"), check("hall"))
    execution = rig.start(plan)
    tamper(database, "UPDATE plan_versions SET body = jsonb_set(body, '{steps,0,input,lamp}', '\"vault\"')")

    rig.workers.run_until_idle()

    assert rig.world.effects == []
    assert rig.state(execution).status is not Status.SUCCEEDED


def test_another_digest_than_the_plans_is_a_conflict(rig):
    plan = rig.plan(act("switch", "hall"), check("hall"))

    with pytest.raises(Conflict):
        execute_plan(plan.plan_id, ExecutePlan(digest="sha256:0"), a_call(), rig.app)


def test_another_tenants_plan_is_not_found(rig):
    plan = rig.plan(act("switch", "hall"), check("hall"))

    with pytest.raises(NotFound):
        execute_plan(plan.plan_id, ExecutePlan(), a_call("eve", tenant="rival"), rig.app)


@pytest.mark.parametrize("undo", [True, False])
def test_a_cancel_ends_a_slow_tool_and_undoes_as_asked(rig, undo):
    rig.world.delays = {"PUT attic": 8.0}
    execution = rig.start(rig.plan(act("switch", "hall"), act("switch", "attic"), check("hall")))
    worker = threading.Thread(target=rig.finish, args=(execution,))
    worker.start()
    wait_for(lambda: rig.state(execution).steps[1].run.status is StepStatus.RUNNING)

    rig.world.delays = {}
    began = datetime.now(UTC)
    cancel_execution(execution, CancelExecution(undo=undo), a_call("grace", "operator"), rig.app)
    worker.join(10)

    state = rig.state(execution)
    assert state.status is Status.CANCELLED
    assert datetime.now(UTC) - began < timedelta(seconds=6)
    assert rig.world.on["hall"] is (not undo)


def test_a_cancel_of_what_is_over_is_a_conflict(rig):
    state = rig.run(act("switch", "hall"), check("hall"))

    with pytest.raises(ExecutionOver):
        cancel_execution(state.id, CancelExecution(), a_call(), rig.app)


def test_a_run_that_takes_too_long_is_timed_out_and_undone(rig):
    rig.world.delays = {"GET cellar": 5.0}
    plan = rig.plan(act("switch", "hall"), check("cellar", on=False), constraints={"deadline_s": 1})

    state = rig.finish(rig.start(plan))

    assert state.status is Status.TIMED_OUT
    assert rig.world.on["hall"] is False


def test_a_message_that_comes_twice_has_one_effect(rig, database):
    execution = rig.start(rig.plan(act("ring", "hall"), check("hall", on=False)))
    tamper(
        database,
        "INSERT INTO messages (id, tenant, queue, type, body, actor, trace, available_at)"
        " SELECT id || 'x', tenant, queue, type, body, actor, trace, available_at FROM messages",
    )

    state = rig.finish(execution)

    assert state.status is Status.SUCCEEDED
    assert rig.world.counts["ring hall"] == 1


def test_a_wait_that_comes_first_is_over_at_its_time_and_not_when_the_clock_looks_after_it(rig):
    wait = {"stage": "diagnose", "wait": {"for_s": 0.3}}

    state = rig.finish(rig.start(rig.plan(wait, act("switch", "hall"), check("hall"))), seconds=15)

    assert state.status is Status.SUCCEEDED


def test_nothing_stays_leased_or_locked(rig, database):
    rig.run(act("switch", "hall"), check("cellar"))

    for table in ("run_leases", "target_locks"):
        assert rows(database, f"SELECT * FROM {table}") == []
    assert rows(database, "SELECT * FROM messages WHERE queue = 'executions'") == []


def tamper(database, statement):
    with database.as_superuser() as connection:
        connection.run(statement)


def rows(database, statement):
    with database.as_superuser() as connection:
        return connection.run(statement)


def wait_for(condition, seconds=10.0):
    until = datetime.now(UTC) + timedelta(seconds=seconds)
    while not condition():
        assert datetime.now(UTC) < until
        threading.Event().wait(0.02)


def test_only_what_can_be_done_again_has_time_for_that_when_its_worker_is_lost(rig):
    plan = rig.plan(
        act("ring", "hall", id="bell"), act("noop", "hall"), act("toggle", "attic"), check("hall", on=False)
    )

    assert [(step.action, step.deadline_s) for step in plan.steps] == [
        ("ring", 10.0),
        ("noop", 210.0),
        ("toggle", 210.0),
        ("look", 150.1),
    ]


def test_a_change_before_which_nothing_could_be_read_is_tried_again_however_often_it_may_be_made(rig):
    rig.world.busy = {"GET hall": 2}

    execution = rig.run(act("toggle", "hall"), check("attic", on=False))

    run = execution.steps[0].run
    assert (execution.status, run.attempts, rig.world.effects) == (Status.SUCCEEDED, 3, ["toggle hall"])
    assert execution.steps[0].captured == {"lamp": "hall", "lit": False}


def test_a_change_before_which_nothing_can_ever_be_read_fails_and_says_why(rig):
    rig.world.busy = {"GET hall": 100}

    execution = rig.run(act("toggle", "hall"), check("attic", on=False))

    run = execution.steps[0].run
    assert (execution.status, run.effect, rig.world.effects) == (Status.FAILED, Effect.NONE, [])
    assert (run.error.code, rig.world.busy["GET hall"]) == ("tool-unavailable", 97)


def test_what_is_read_before_a_change_is_tried_again_within_the_time_of_the_step(rig):
    rig.world.busy = {"GET hall": 100}

    execution = rig.run(act("toggle", "hall", deadline_s=2.4), check("attic", on=False))

    assert (execution.status, rig.world.busy["GET hall"]) == (Status.FAILED, 98)
    assert execution.steps[0].run.error.code == "tool-unavailable"
