"""What happens at the same time as a step, or in its stead, changes nothing about what an execution may do and say."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import cache, partial
from typing import Any

import pytest
from tests.conftest import Database
from tests.world.mortal import Gone, Life, in_one_life
from tests.world.replay import replayed
from tests.world.rig import Rig, a_call, act, check

from carapulse.approvals.usecases import revoke_approval
from carapulse.bootstrap import App
from carapulse.executions.abandoning import abandon_execution
from carapulse.executions.consumers import go_on
from carapulse.executions.errors import StepBusy, StepInterrupted
from carapulse.executions.messages import AdvanceExecution
from carapulse.executions.model import Cause, Effect, Status, StepStatus
from carapulse.executions.reading import get_execution
from carapulse.executions.rechecking import Judgements
from carapulse.executions.usecases import ExecutePlan, execute_plan
from carapulse.executions.watching import Watch
from carapulse.executions.wishes import CancelExecution, cancel_execution
from carapulse.kernel.clock import SystemClock
from carapulse.kernel.errors import Unavailable
from carapulse.plans.errors import PlanChanged
from carapulse.plans.requests import CreatePlan
from carapulse.plans.usecases import read_timeline, revise_plan
from carapulse.policy.ports import PolicyEngine


@dataclass
class Meanwhile:
    """A policy that lets something else happen just when it is asked about a step for the nth time."""

    policy: PolicyEngine
    happens: Callable[[], object]
    at: int = 1
    asked: int = 0
    action: str = "step.run"

    @property
    def digest(self) -> str:
        return self.policy.digest

    def decide(self, document: dict[str, Any]) -> Any:
        if document["action"]["name"] == self.action:
            self.asked += 1
            if self.asked == self.at:
                self.happens()
        return self.policy.decide(document)


class Forgetful(Judgements):
    """Asks policy each time, also within a second."""

    def find(self, question: Any) -> None:
        """Remember nothing."""
        del question


class ForgetfulApp(App):
    """An application that asks policy each time."""

    @property
    def judgements(self) -> Judgements:
        """What remembers nothing."""
        return Forgetful()


@dataclass
class ShiftedClock:
    """The clock on the wall, moved."""

    by: timedelta = field(default_factory=timedelta)

    def now(self):
        return SystemClock().now() + self.by


def meanwhile(rig: Rig, happens: Callable[[], object], *, at: int = 1) -> None:
    parts = {name: getattr(rig.app, name) for name in App.__dataclass_fields__}
    parts["policy"] = Meanwhile(rig.app.policy, happens, at)
    rig.app = ForgetfulApp(**parts)
    rebuilt(rig)


def rebuilt(rig: Rig, **parts: Any) -> None:
    rig.app = replace(rig.app, **parts)
    rig.workers = rig.new_workers()


def make_attempt(execution: str, app: Any) -> None:
    """Let a worker make one attempt, and no more."""
    settings = app.settings.model_copy(update={"turn_s": 0.0})
    go_on(AdvanceExecution(execution_id=execution), a_call(), replace(app, settings=settings))


def cancelled(rig: Rig, execution: str) -> Callable[[], object]:
    return lambda: cancel_execution(execution, CancelExecution(), a_call("grace", "operator"), rig.app)


def test_after_a_cancel_no_further_step_begins(rig):
    execution = rig.start(rig.plan(act("switch", "hall"), act("switch", "attic"), check("hall")))
    meanwhile(rig, cancelled(rig, execution), at=2)

    state = rig.finish(execution)

    assert state.status is Status.CANCELLED
    assert rig.world.effects == ["PUT hall", "PUT hall"]


def test_an_approval_that_is_revoked_during_the_capture_stops_the_step(rig):
    rig.world.delays = {"GET hall": 0.7}
    plan = rig.plan(act("switch", "hall"), check("hall"), environment="prod")
    execution = rig.start(plan)
    revoking = threading.Timer(0.3, revoke_approval, (plan.plan_id, a_call("grace", "approver"), rig.app))
    revoking.start()

    state = rig.finish(execution)
    revoking.join()

    assert state.status is Status.FAILED
    assert rig.world.effects == []


def test_an_approval_that_is_revoked_after_the_last_check_stops_the_step(rig):
    plan = rig.plan(act("ring", "hall"), check("hall", on=False))
    execution = rig.start(plan)
    meanwhile(rig, lambda: revoke_approval(plan.plan_id, a_call("grace", "approver"), rig.app))

    state = rig.finish(execution)

    assert (state.status, rig.world.effects) == (Status.FAILED, [])
    assert state.steps[0].run.error is not None
    assert state.steps[0].run.error.code == "step-refused"


def test_a_second_delivery_that_is_refused_does_not_end_a_step_that_is_running(rig):
    """The first worker is past its check when the second one is told no."""
    execution = rig.start(rig.plan(act("switch", "hall"), check("hall")))
    second = threading.Event()

    def run_the_other() -> None:
        if not second.is_set():
            second.set()
            make_attempt(execution, rig.app)
            raise Unavailable("no answer for the one who came late")

    meanwhile(rig, run_the_other)
    make_attempt(execution, rig.app)
    state = rig.finish(execution)

    assert state.status is Status.SUCCEEDED
    assert rig.world.effects == ["PUT hall"]


def test_no_step_begins_after_the_deadline(rig):
    clock = ShiftedClock()
    rebuilt(rig, clock=clock)
    execution = rig.start(rig.plan(act("ring", "hall"), check("hall", on=False), constraints={"deadline_s": 60}))
    clock.by = timedelta(hours=1)

    state = rig.finish(execution)

    assert (state.status, state.cause) == (Status.TIMED_OUT, Cause.TIMED_OUT)
    assert rig.world.effects == []


def test_a_deadline_that_passes_while_the_state_is_captured_lets_nothing_begin(rig):
    clock = ShiftedClock()
    rebuilt(rig, clock=clock)
    execution = rig.start(rig.plan(act("switch", "hall"), check("hall"), constraints={"deadline_s": 60}))
    meanwhile(rig, lambda: setattr(clock, "by", timedelta(hours=1)))

    state = rig.finish(execution)

    assert (state.status, rig.world.effects) == (Status.TIMED_OUT, [])


def test_a_deadline_that_passes_before_a_report_is_made_undoes_nothing_and_gives_up_the_report(rig):
    clock = ShiftedClock()
    rebuilt(rig, clock=clock)
    note = {**act("noop", "porch", id="note"), "stage": "report"}
    execution = rig.start(rig.plan(act("switch", "hall"), check("hall"), note, constraints={"deadline_s": 60}))
    while not rig.state(execution).steps[1].is_done:
        make_attempt(execution, rig.app)
    clock.by = timedelta(hours=1)

    state = rig.finish(execution)

    shown = get_execution(execution, a_call(), rig.app)
    assert (state.status, state.left, rig.world.effects) == (Status.SUCCEEDED, (), ["PUT hall"])
    assert (shown.percent, shown.steps[-1].status, shown.steps[-1].attempts) == (100, StepStatus.FAILED, 0)
    said = [entry.said for entry in read_timeline(state.plan_id, a_call(), rig.app)]
    gave_up = "step note, phase run, error the deadline of the run passed before the report was made"
    assert f"step failed: {gave_up}" in said
    assert replayed(rig.app, state.plan_id) == state


def begin_slowly(rig: Rig, execution: str) -> tuple[threading.Thread, list[BaseException]]:
    """Make one attempt in a thread, until it is at its tool."""
    raised: list[BaseException] = []

    def make() -> None:
        try:
            make_attempt(execution, rig.app)
        except StepInterrupted as problem:
            raised.append(problem)

    thread = threading.Thread(target=make)
    thread.start()
    return thread, raised


def wait_until(condition: Callable[[], bool]) -> None:
    for _ in range(500):
        if condition():
            return
        threading.Event().wait(0.02)
    raise AssertionError("it did not come about")


def restarted(rig: Rig) -> None:
    rebuilt(rig, stopping=threading.Event())


def test_a_write_that_the_programs_end_cuts_short_is_probed_by_the_next_program(rig):
    rig.world.delays = {"toggle hall": 6.0}
    execution = rig.start(rig.plan(act("toggle", "hall"), check("hall")))
    thread, raised = begin_slowly(rig, execution)
    wait_until(lambda: rig.world.counts["toggle hall"] == 1)

    rig.app.stopping.set()
    thread.join(6)
    left = rig.state(execution)
    rig.world.delays = {}
    restarted(rig)
    state = rig.finish(execution)

    assert len(raised) == 1
    assert (left.status, left.steps[0].run.status) == (Status.RUNNING, StepStatus.RUNNING)
    assert state.status is Status.SUCCEEDED
    assert rig.world.counts["toggle hall"] == 1


def test_a_verification_that_the_programs_end_cuts_short_is_asked_again_and_undoes_nothing(rig):
    rig.world.delays = {"GET cellar": 6.0}
    rig.world.on["cellar"] = True
    execution = rig.start(rig.plan(act("switch", "hall"), check("cellar")))
    make_attempt(execution, rig.app)
    thread, raised = begin_slowly(rig, execution)
    wait_until(lambda: rig.state(execution).steps[1].run.status is StepStatus.RUNNING)

    rig.app.stopping.set()
    thread.join(6)
    rig.world.delays = {}
    restarted(rig)
    state = rig.finish(execution)

    assert len(raised) == 1
    assert state.status is Status.SUCCEEDED
    assert rig.world.effects == ["PUT hall"]


def test_a_capture_that_the_programs_end_cuts_short_is_made_again(rig):
    rig.world.delays = {"GET hall": 6.0}
    execution = rig.start(rig.plan(act("switch", "hall"), check("hall")))
    thread, raised = begin_slowly(rig, execution)
    threading.Event().wait(0.5)

    rig.app.stopping.set()
    thread.join(6)
    rig.world.delays = {}
    restarted(rig)
    state = rig.finish(execution)

    assert len(raised) == 1
    assert state.status is Status.SUCCEEDED


@dataclass(frozen=True)
class Brittle:
    """A toolbox with a bug: it fails as no toolbox should, for some actions."""

    toolbox: Any
    actions: frozenset[str]

    def run(self, invocation: Any, **watch: Any) -> Any:
        if f"{invocation.action} {invocation.mode}" in self.actions:
            raise ZeroDivisionError("a bug\0 in \ud800 the toolbox")
        return self.toolbox.run(invocation, **watch)


def brittle(rig: Rig, *actions: str) -> None:
    rig.settings = rig.settings.model_copy(update={"max_deliveries": 1})
    rebuilt(rig, read_toolbox=cache(partial(Brittle, rig.app.toolbox, frozenset(actions))), settings=rig.settings)


def test_a_bug_in_the_middle_of_a_write_ends_in_a_persons_hands_and_not_in_a_wait_for_ever(rig):
    execution = rig.start(rig.plan(act("ring", "hall"), check("hall", on=False)))
    brittle(rig, "ring run")

    state = rig.finish(execution)

    assert (state.status, state.left) == (Status.NEEDS_HUMAN, ("s1",))
    assert state.steps[0].run.error is not None


def test_a_bug_before_a_step_fails_it_and_undoes_what_was_done(rig):
    execution = rig.start(rig.plan(act("switch", "hall"), act("switch", "attic"), check("hall")))
    make_attempt(execution, rig.app)
    brittle(rig, "switch capture")

    state = rig.finish(execution)

    assert (state.status, state.steps[1].run.effect) == (Status.ROLLED_BACK, Effect.NONE)
    assert rig.world.effects == ["PUT hall", "PUT hall"]
    assert state.steps[1].run.error is not None
    assert state.steps[1].run.error.code == "step-abandoned"


def test_a_plan_that_was_tampered_with_ends_with_its_locks_given_back(rig, database):
    execution = rig.start(rig.plan(act("switch", "hall"), act("switch", "attic"), check("hall")))
    make_attempt(execution, rig.app)
    rig.settings = rig.settings.model_copy(update={"max_deliveries": 1})
    rebuilt(rig)
    with database.as_superuser() as connection:
        connection.run("UPDATE plan_versions SET body = jsonb_set(body, '{steps,1,input,lamp}', '\"vault\"')")

    state = rig.finish(execution)

    assert (state.status, state.left) == (Status.ROLLBACK_FAILED, ("s1",))
    assert rig.world.effects == ["PUT hall"]
    with database.as_superuser() as connection:
        assert connection.run("SELECT * FROM target_locks") == []
        assert connection.run("SELECT * FROM run_leases") == []


def test_a_step_that_a_worker_is_at_is_not_given_up(rig):
    execution = rig.start(rig.plan(act("switch", "hall"), check("hall")))
    rig.world.delays = {"PUT hall": 1.0}
    thread, _ = begin_slowly(rig, execution)
    wait_until(lambda: rig.state(execution).steps[0].run.status is StepStatus.RUNNING)

    with pytest.raises(StepBusy):
        abandon_execution(AdvanceExecution(execution_id=execution), "a bug", a_call(), rig.app)
    thread.join()
    assert rig.finish(execution).status is Status.SUCCEEDED


def test_an_undo_that_policy_could_not_be_asked_about_is_tried_again(rig):
    execution = rig.start(rig.plan(act("toggle", "hall"), check("cellar")))

    def fail() -> None:
        raise Unavailable("policy is away")

    meanwhile(rig, fail, at=2)
    state = rig.finish(execution)

    assert state.status is Status.ROLLED_BACK
    assert state.steps[0].undo is not None
    assert state.steps[0].undo.attempts == 2


@dataclass
class Detached:
    """The application behind a wire that can be cut: its database is away for whoever uses this."""

    app: Any
    away: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        settings = self.app.settings
        self.watch = Watch(self.begin, self.app.clock, settings.visibility_s, self.app.stopping)
        self.journal = self

    def __getattr__(self, name: str) -> Any:
        asked = getattr(self.app.journal, name, None)
        return self._wired(asked) if asked is not None else getattr(self.app, name)

    def begin(self, call: Any) -> Any:
        return self._wired(self.app.begin)(call)

    def _wired(self, asked: Callable[..., Any]) -> Callable[..., Any]:
        def ask(*given: Any) -> Any:
            while asked == self.app.journal.write and self.away.is_set():
                threading.Event().wait(0.05)
            if self.away.is_set():
                raise Unavailable("the database did not answer")
            return asked(*given)

        return ask

    def work(self, execution: str) -> threading.Thread:
        """Let a worker behind this wire go on with an execution."""
        thread = threading.Thread(target=go_on, args=(AdvanceExecution(execution_id=execution), a_call(), self))
        thread.start()
        return thread


def test_a_worker_that_cannot_keep_its_lease_ends_its_tool(rig):
    rig.world.delays = {"PUT hall": 15.0}
    detached = Detached(rig.app)
    execution = rig.start(rig.plan(act("switch", "hall"), check("hall")))
    thread = detached.work(execution)
    wait_until(lambda: rig.world.counts["PUT hall"] == 1)

    detached.away.set()
    threading.Event().wait(3.5)
    detached.away.clear()
    thread.join(5)

    assert not thread.is_alive()
    assert rig.state(execution).steps[0].run.error is not None


def test_a_worker_that_comes_back_late_changes_nothing_about_what_another_found_out(rig):
    """The first is cut off from the database for longer than its lease; a second one takes over and goes on."""
    rig.world.delays = {"toggle hall": 4.0}
    detached = Detached(rig.app)
    execution = rig.start(rig.plan(act("toggle", "hall"), check("hall")))
    thread = detached.work(execution)
    wait_until(lambda: rig.world.counts["toggle hall"] == 1)
    detached.away.set()

    state = rig.finish(execution)
    detached.away.clear()
    thread.join(10)

    assert state.status is Status.SUCCEEDED
    assert rig.state(execution) == state
    assert rig.world.counts["toggle hall"] == 1


def test_a_worker_that_comes_back_late_adds_no_lines(rig):
    execution = rig.start(rig.plan(act("switch", "hall"), check("hall")))
    state = rig.finish(execution)

    with rig.app.watch.over(execution, "lease_late", a_call()) as watched:
        watched.hold(time.monotonic() - 60, is_new=True)
        watched.begin(state.steps[0].facts.id, "run")
        watched.on_line("too late")
        threading.Event().wait(1.0)

    assert [line.line for line in watched.end()] == ["too late"]
    with rig.app.begin(a_call()) as work:
        assert work.executions.lines_after(execution, 0, 10) == []


class DiesBeforeItTurnsALamp(Life):
    """A worker that dies when its intent is written and its effect has not taken place."""

    @contextmanager
    def around(self, name: str) -> Iterator[None]:
        if name == "run toggle":
            self.end()
        with super().around(name):
            yield


def test_what_its_probe_denies_after_a_lost_worker_is_not_left(rig):
    execution = rig.start(rig.plan(act("toggle", "hall"), check("hall")))
    with pytest.raises(Gone):
        go_on(AdvanceExecution(execution_id=execution), a_call(), in_one_life(rig.app, DiesBeforeItTurnsALamp()))
    rig.world.broken = {"toggle hall"}

    state = rig.finish(execution)

    assert (state.status, state.left, rig.world.effects) == (Status.FAILED, (), [])
    assert state.steps[0].run.effect is Effect.NONE
    assert state == replayed(rig.app, state.plan_id)


def test_a_plan_that_is_revised_while_it_is_judged_is_not_executed(rig):
    plan = rig.plan(act("switch", "hall"), check("hall"))

    def revise() -> None:
        steps = [act("switch", "attic"), check("attic")]
        command = {"summary": "Light the attic", "context": {"environment": "dev"}, "steps": steps}
        revise_plan(plan.plan_id, CreatePlan.model_validate(command), a_call(), rig.app)

    rebuilt(rig, policy=Meanwhile(rig.app.policy, revise, action="plan.execute"))
    with pytest.raises(PlanChanged):
        execute_plan(plan.plan_id, ExecutePlan(), a_call(), rig.app)

    assert rig.world.effects == []


def test_who_waited_for_the_lock_reads_the_steps_as_they_are_by_then(rig):
    execution = rig.start(rig.plan(act("switch", "hall"), check("hall")))
    seen, waiting = [], threading.Event()

    def wait():
        with rig.app.begin(a_call()) as work:
            waiting.set()
            seen.append(work.executions.lock(execution))

    with rig.app.begin(a_call()) as work:
        state = work.executions.lock(execution)
        other = threading.Thread(target=wait)
        other.start()
        waiting.wait()
        time.sleep(0.3)
        step = state.steps[0]
        moved = step.model_copy(update={"run": step.run.model_copy(update={"attempts": 7})})
        work.executions.replace(state.with_step(moved), since=state, look_at=None)
    other.join()

    assert [state.steps[0].run.attempts for state in seen] == [7]


def in_a_muddle(rig: Rig, other: Callable[[str, App], object]) -> AdvanceExecution:
    """Return what a worker is told of a run, which will be about to start the roof when another worker comes for it.

    The first has told nobody of the roof; the other finds the roof and the bell.
    """
    plan = rig.plan(
        act("switch", "hall", id="hall"),
        act("toggle", "attic", id="attic"),
        act("switch", "roof", id="roof", depends_on=["hall", "attic"]),
        act("ring", "bell", id="bell", depends_on=["hall"]),
        check("roof"),
        constraints={"max_concurrency": 3},
    )
    execution = rig.start(plan)
    make_attempt(execution, rig.app)
    app = rig.app
    meanwhile(rig, lambda: other(execution, app), at=2)
    return AdvanceExecution(execution_id=execution)


def test_a_start_that_another_worker_takes_costs_nobody_theirs(rig):
    def come(execution: str, app: App) -> None:
        go_on(AdvanceExecution(execution_id=execution), a_call(), app)

    message = in_a_muddle(rig, come)

    go_on(message, a_call(), rig.app)

    assert rig.state(message.execution_id).status is Status.SUCCEEDED
    assert "ring bell" in rig.world.effects


def test_a_worker_whose_turn_is_over_before_it_began_anything_comes_again_for_what_may_start(rig, database):
    def come(execution: str, app: App) -> None:
        make_attempt(execution, app)
        lose_messages(database)
        time.sleep(0.6)

    message = in_a_muddle(rig, come)
    settings = rig.app.settings.model_copy(update={"turn_s": 0.5})

    with pytest.raises(StepBusy):
        go_on(message, a_call(), replace(rig.app, settings=settings))

    assert rig.state(message.execution_id).step("bell").run.status is StepStatus.WAITING


def test_a_worker_whose_turn_is_over_leaves_word_of_what_may_start(rig, database):
    plan = rig.plan(act("switch", "hall"), act("ring", "bell"), check("hall"), constraints={"max_concurrency": 2})
    execution = rig.start(plan)
    lose_messages(database)

    make_attempt(execution, rig.app)

    assert rig.finish(execution).status is Status.SUCCEEDED


def lose_messages(database: Database) -> None:
    """Take every message away, as if others had come and found nothing to do."""
    with database.as_superuser() as connection:
        connection.run("DELETE FROM messages")
