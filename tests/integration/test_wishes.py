"""What people ask of a run: it is paused, goes on, is tried again, is told what they saw, and is stopped in any state."""

import os
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import text
from tests.world.replay import replayed
from tests.world.rig import a_call, act, check

from carapulse.executions.errors import ExecutionNotFound, ExecutionOver, StepNotAsked, StepNotFound
from carapulse.executions.model import Cause, Status, StepStatus
from carapulse.executions.reading import get_execution
from carapulse.executions.wishes import (
    CancelExecution,
    PauseExecution,
    ResolveStep,
    ResumeExecution,
    RetryStep,
    cancel_execution,
    pause_execution,
    resolve_step,
    resume_execution,
    retry_step,
)

HOLD = {"on_failure": "hold"}
SLOW = "import os, pathlib, time; pathlib.Path(sys.argv[1] + '.pid').write_text(str(os.getpid())); time.sleep(60)"


def paused(rig, *steps):
    execution = rig.start(rig.plan(*steps))
    pause_execution(execution, PauseExecution(note="wait a moment"), a_call("grace"), rig.app)
    rig.workers.run_until_idle()
    return execution


def held(rig):
    rig.world.broken = {"PUT attic"}
    return rig.run(act("switch", "hall"), act("switch", "attic", id="attic"), check("attic"), constraints=HOLD)


def lost(rig, *, after=()):
    rig.world.cut = {"ring hall"}
    return rig.run(*after, act("ring", "hall", id="bell"), check("hall", on=False))


def said(step_id="bell", *, done):
    return ResolveStep(step_id=step_id, done=done, note="I was there")


def wait_for(condition, seconds=10.0):
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.02)


def test_what_is_paused_begins_nothing_until_it_is_resumed(rig):
    execution = paused(rig, act("switch", "hall"), check("hall"))

    assert (rig.state(execution).paused, rig.world.effects) == (True, [])
    resume_execution(execution, ResumeExecution(), a_call("grace"), rig.app)
    assert rig.finish(execution).status is Status.SUCCEEDED


def test_what_runs_when_it_is_paused_is_finished(rig):
    rig.world.delays = {"PUT hall": 1.0}
    execution = rig.start(rig.plan(act("switch", "hall"), act("switch", "attic"), check("hall")))
    worker = threading.Thread(target=rig.workers.run_until_idle)
    worker.start()
    wait_for(lambda: rig.state(execution).steps[0].run.status is StepStatus.RUNNING)

    pause_execution(execution, PauseExecution(), a_call(), rig.app)
    worker.join(10)

    statuses = [step.run.status.value for step in rig.state(execution).steps]
    assert statuses == ["succeeded", "waiting", "waiting"]


def test_a_pause_and_a_resumption_that_change_nothing_are_not_noted(rig):
    execution = paused(rig, act("switch", "hall"), check("hall"))

    for _ in range(2):
        pause_execution(execution, PauseExecution(), a_call(), rig.app)
    for _ in range(2):
        resume_execution(execution, ResumeExecution(), a_call(), rig.app)

    assert noted(rig, execution, "PauseRequested") == 1
    assert noted(rig, execution, "ResumeRequested") == 1


def test_the_deadline_ends_a_pause(rig):
    plan = rig.plan(act("switch", "hall"), check("hall"), constraints={"deadline_s": 1})
    execution = rig.start(plan)
    pause_execution(execution, PauseExecution(), a_call(), rig.app)
    time.sleep(1)

    resume_execution(execution, ResumeExecution(), a_call(), rig.app)

    assert rig.state(execution).status is Status.TIMED_OUT


def test_a_deadline_that_has_passed_is_not_the_next_one(rig):
    rig.world.cut = {"ring hall"}
    execution = rig.run(act("ring", "hall"), check("hall", on=False), constraints={"deadline_s": 1}).id
    before = get_execution(execution, a_call(), rig.app)
    time.sleep(1)

    rig.tick()
    rig.workers.run_until_idle()

    after = get_execution(execution, a_call(), rig.app)
    assert (after.status, after.next_deadline_at) == (Status.NEEDS_HUMAN, None)
    assert before.next_deadline_at == before.deadline_at


def test_a_failed_step_is_tried_again_when_a_person_says_so(rig):
    execution = held(rig).id
    rig.world.broken = set()

    retry_step(execution, RetryStep(step_id="attic", note="the bulb is changed"), a_call("grace"), rig.app)

    state = rig.finish(execution)
    assert (state.status, state.steps[1].run.attempts) == (Status.SUCCEEDED, 2)
    assert rig.world.effects == ["PUT hall", "PUT attic"]
    assert replayed(rig.app, state.plan_id) == state


def test_a_step_that_a_person_has_tried_again_has_all_its_time_again(rig):
    rig.world.broken = {"PUT hall"}
    state = rig.run(act("switch", "hall", id="hall", deadline_s=1), check("hall"), constraints=HOLD)
    rig.world.broken, rig.world.delays = set(), {"PUT hall": 0.5}
    time.sleep(1)

    retry_step(state.id, RetryStep(step_id="hall", note="the bulb is changed"), a_call("grace"), rig.app)

    assert rig.finish(state.id).status is Status.SUCCEEDED
    assert replayed(rig.app, state.plan_id) == rig.state(state.id)


@pytest.mark.parametrize(("done", "status"), [(True, Status.SUCCEEDED), (False, Status.ROLLED_BACK)])
def test_a_person_says_what_became_of_a_step_and_it_goes_on_from_there(rig, done, status):
    execution = lost(rig, after=(act("switch", "attic"),)).id

    resolve_step(execution, said(done=done), a_call("grace"), rig.app)

    state = rig.finish(execution)
    assert state.status is status
    assert rig.world.counts["ring hall"] == 1
    assert rig.world.on["attic"] is done


def test_a_failure_that_does_not_count_is_not_tried_again_while_a_person_is_asked_about_another_step(rig):
    rig.world.broken = {"PUT cellar", "PUT attic"}
    lamps = {"lamp": {"$each": "@"}, "lit": True}
    fan = act("switch", "hall", id="light", for_each={"values": ["cellar", "hall"], "max_failures": 1})
    steps = {**fan, "input": lamps}, act("switch", "attic", id="attic"), check("attic")
    execution = rig.run(*steps, constraints=HOLD)
    rig.world.broken = set()
    assert execution.left == ("attic",)

    with pytest.raises(StepNotAsked):
        retry_step(execution.id, RetryStep(step_id="light-1", note="again"), a_call(), rig.app)
    assert rig.state(execution.id) == execution

    retry_step(execution.id, RetryStep(step_id="attic", note="again"), a_call(), rig.app)
    assert (rig.finish(execution.id).status, rig.world.counts["PUT cellar"]) == (Status.SUCCEEDED, 0)


def test_a_lost_report_neither_holds_nor_undoes_the_change_and_stays_unknown(rig):
    rig.world.cut = {"ring hall"}
    report = {**act("ring", "hall", id="bell"), "stage": "report"}

    execution = rig.run(act("switch", "attic"), check("attic"), report)

    shown = get_execution(execution.id, a_call(), rig.app)
    assert (shown.status, shown.left, shown.percent) == (Status.SUCCEEDED, ("bell",), 100)
    assert (shown.steps[-1].status, shown.steps[-1].effect) == (StepStatus.UNKNOWN, "maybe")
    assert (rig.world.on["attic"], rig.world.counts["ring hall"]) == (True, 1)
    with pytest.raises(ExecutionOver):
        resolve_step(execution.id, said(done=True), a_call(), rig.app)
    assert replayed(rig.app, execution.plan_id) == execution


def test_a_cancel_after_a_report_undoes_the_change_and_ends_as_any_other(rig):
    bell, last = ({**act("ring", "hall", id=name), "stage": "report"} for name in ("bell", "last"))
    rig.world.delays = {"ring hall": 1.0}
    execution = rig.start(rig.plan(act("switch", "attic"), check("attic"), bell, last))
    worker = threading.Thread(target=rig.workers.run_until_idle)
    worker.start()
    wait_for(lambda: rig.state(execution).step("bell").is_done)
    cancel_execution(execution, CancelExecution(), a_call("grace"), rig.app)
    worker.join(10)

    shown = rig.finish(execution)

    assert (shown.status, shown.left) == (Status.CANCELLED, ("last",))  # nobody knows of what was cut short
    assert (rig.world.on["attic"], shown.step("bell").undo) == (False, None)


def test_nobody_is_asked_about_other_steps(rig):
    execution = held(rig)
    first = execution.steps[0].facts.id

    for ask in (
        lambda: retry_step(execution.id, RetryStep(step_id=first, note="again"), a_call(), rig.app),
        lambda: resolve_step(execution.id, said("attic", done=True), a_call(), rig.app),
    ):
        with pytest.raises(StepNotAsked) as refused:
            ask()
        assert refused.value.code == "step-not-asked"
    assert rig.state(execution.id) == execution


def test_a_step_that_does_not_exist_is_not_found(rig):
    execution = held(rig).id

    with pytest.raises(StepNotFound):
        retry_step(execution, RetryStep(step_id="roof", note="again"), a_call(), rig.app)


def test_what_is_over_is_not_steered(rig):
    execution = rig.run(act("switch", "hall"), check("hall"))
    step = execution.steps[0].facts.id

    for ask in (
        lambda: pause_execution(execution.id, PauseExecution(), a_call(), rig.app),
        lambda: resume_execution(execution.id, ResumeExecution(), a_call(), rig.app),
        lambda: retry_step(execution.id, RetryStep(step_id=step, note="again"), a_call(), rig.app),
        lambda: resolve_step(execution.id, said(step, done=True), a_call(), rig.app),
    ):
        with pytest.raises(ExecutionOver):
            ask()


def test_another_tenants_run_is_not_found(rig):
    execution = paused(rig, act("switch", "hall"), check("hall"))

    with pytest.raises(ExecutionNotFound):
        resume_execution(execution, ResumeExecution(), a_call(tenant="rival"), rig.app)


def test_what_is_paused_is_cancelled(rig):
    execution = paused(rig, act("switch", "hall"), check("hall"))

    cancel_execution(execution, CancelExecution(), a_call(), rig.app)

    assert rig.finish(execution).status is Status.CANCELLED


def test_what_waits_for_a_person_is_cancelled_and_what_nobody_knows_is_left(rig):
    execution = lost(rig, after=(act("switch", "attic"),)).id

    cancel_execution(execution, CancelExecution(), a_call(), rig.app)

    rig.workers.run_until_idle()
    state = rig.state(execution)
    assert (state.cause, state.left, rig.world.on["attic"]) == (Cause.CANCELLED, ("bell",), False)
    assert state.over


@pytest.mark.parametrize("undo", [True, False])
def test_a_cancel_while_it_is_undone_says_whether_the_rest_is_undone(rig, undo):
    rig.world.on = {"hall": False, "attic": False}
    steps = (act("switch", "hall"), act("switch", "attic"), check("cellar"))
    execution = rig.start(rig.plan(*steps))
    worker = threading.Thread(target=rig.finish, args=(execution,))
    rig.world.delays = {"GET cellar": 0.3}
    worker.start()
    wait_for(lambda: rig.state(execution).steps[2].run.status is StepStatus.RUNNING)
    rig.world.delays = {"PUT attic": 1.0}
    wait_for(lambda: rig.state(execution).steps[1].part("undo").status is StepStatus.RUNNING)

    cancel_execution(execution, CancelExecution(undo=undo), a_call(), rig.app)
    worker.join(20)

    assert rig.state(execution).status is (Status.ROLLED_BACK if undo else Status.CANCELLED)
    assert rig.world.on == {"hall": not undo, "attic": False}


def test_after_a_cancel_nothing_of_the_tool_is_left_running(rig):
    write = {"stage": "act", "tool": "nasty", "action": "write_slowly", "input": {"word": "new", "first": SLOW}}
    execution = rig.start(rig.plan(write, {**check("hall", on=False)}))
    worker = threading.Thread(target=rig.finish, args=(execution,))
    worker.start()
    file = rig.folder / "word.pid"
    wait_for(lambda: file.exists() and file.read_text())
    group = os.getpgid(int(file.read_text()))

    cancel_execution(execution, CancelExecution(), a_call(), rig.app)

    wait_for(lambda: not is_there(group), seconds=10)
    worker.join(10)
    assert rig.state(execution).status is Status.CANCELLED


def is_there(group):
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True


def noted(rig, execution, kind):
    wanted = {"kind": kind, "stream": rig.state(execution).plan_id}
    with rig.app.begin(a_call()) as work:
        query = text("SELECT count(*) FROM events WHERE type = :kind AND stream = :stream")
        return work.connection.execute(query, wanted).scalar_one()


def test_a_pause_keeps_no_question_from_anybody(rig):
    rig.world.cut, rig.world.delays = {"ring hall"}, {"ring hall": 0.4}
    execution = rig.start(rig.plan(act("ring", "hall", id="bell"), check("hall", on=False)))
    with ThreadPoolExecutor(1) as pool:
        pool.submit(rig.workers.run_until_idle)
        wait_for(lambda: rig.world.counts["ring hall"] == 1)
        pause_execution(execution, PauseExecution(), a_call(), rig.app)

    assert rig.state(execution).status is Status.NEEDS_HUMAN
    assert rig.state(execution).left == ("bell",)
    resolve_step(execution, said(done=True), a_call("grace"), rig.app)
    rig.workers.run_until_idle()
    assert rig.state(execution).status is Status.RUNNING

    resume_execution(execution, ResumeExecution(), a_call(), rig.app)
    assert rig.finish(execution).status is Status.SUCCEEDED
