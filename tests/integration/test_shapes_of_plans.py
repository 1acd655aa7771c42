"""Plans of every shape, run by the real engine: side by side, fanned out, on a condition, with outputs, after a wait."""

import threading
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cache, partial

import pytest
from tests.world.hurry import show_messages
from tests.world.replay import replayed
from tests.world.rig import Rig, act, check, everywhere, look

from carapulse.executions import looking
from carapulse.executions.model import ExecutionState, Status, StepStatus
from carapulse.executions.outputs import outputs_of
from carapulse.kernel.errors import Unavailable

SLOW_S = 0.6


def at_once(rig: Rig, count: int, execution: str) -> ExecutionState:
    """Finish an execution with several workers in threads, as the program does."""
    workers = rig.new_workers(count)
    workers.start()
    try:
        until = time.monotonic() + 30
        while not (state := rig.state(execution)).status.at_rest:
            assert time.monotonic() < until, state
            time.sleep(0.02)
    finally:
        workers.stop(10)
    return state


def span(state: ExecutionState, step_id: str) -> tuple[datetime, datetime]:
    """When a step began and ended."""
    run = state.step(step_id).run
    assert run.started_at is not None
    assert run.finished_at is not None
    return run.started_at, run.finished_at


def most_at_once(state: ExecutionState) -> int:
    """How many steps were under way at the same moment."""
    spans = [span(state, step.facts.id) for step in state.steps if step.run.started_at]
    return max(sum(begin <= moment < end for begin, end in spans) for moment, _ in spans)


def statuses(state: ExecutionState) -> dict[str, str]:
    return {step.facts.id: step.run.status.value for step in state.steps}


def test_steps_of_a_stage_run_side_by_side_up_to_the_plans_limit(rig):
    lamps = ["a", "b", "c", "d"]
    rig.world.delays = {f"PUT {lamp}": SLOW_S for lamp in lamps}
    plan = rig.plan(*(act("switch", lamp) for lamp in lamps), check("a"), constraints={"max_concurrency": 2})

    state = at_once(rig, 4, rig.start(plan))

    assert (state.status, most_at_once(state)) == (Status.SUCCEEDED, 2)
    assert rig.world.counts == {f"PUT {lamp}": 1 for lamp in lamps}
    assert replayed(rig.app, state.plan_id) == state


def test_a_step_waits_for_what_it_depends_on_and_not_for_the_others(rig):
    rig.world.delays = {"PUT a": SLOW_S}
    first, other = act("switch", "a", id="first"), act("switch", "b", id="other")
    after = act("switch", "c", id="after", depends_on=["first"])
    plan = rig.plan(first, other, after, check("c"), constraints={"max_concurrency": 3})

    state = at_once(rig, 3, rig.start(plan))

    ended = span(state, "first")[1]
    assert state.status is Status.SUCCEEDED
    assert span(state, "other")[0] < ended <= span(state, "after")[0]


def test_two_steps_on_one_target_never_run_at_once(rig):
    rig.world.delays = {"PUT hall": SLOW_S / 2}
    steps = [act("switch", "hall", id=name) for name in ("one", "two")]

    state = at_once(rig, 3, rig.start(rig.plan(*steps, check("hall"), constraints={"max_concurrency": 5})))

    assert (state.status, most_at_once(state)) == (Status.SUCCEEDED, 1)


def test_a_fan_out_has_a_width_of_its_own(rig):
    lamps = ["a", "b", "c", "d", "e"]
    rig.world.delays = {f"PUT {lamp}": SLOW_S / 2 for lamp in lamps}
    plan = rig.plan(everywhere(*lamps, max_concurrency=3), check("a"))

    state = at_once(rig, 5, rig.start(plan))

    assert (state.status, most_at_once(state)) == (Status.SUCCEEDED, 3)
    assert rig.world.counts == {f"PUT {lamp}": 1 for lamp in lamps}


def test_too_many_failures_of_a_fan_out_stop_the_rest_and_undo_what_was_done(rig):
    rig.world.broken = {"PUT b"}

    state = rig.run(everywhere("a", "b", "c", "d"), check("a"))

    assert (state.status, state.left) == (Status.ROLLED_BACK, ())
    assert statuses(state)["light-3"] == "waiting"
    assert not rig.world.on["a"]
    assert rig.world.counts["PUT c"] == 0


def test_as_many_failures_as_a_fan_out_bears_do_not_stop_it(rig):
    rig.world.broken = {"PUT b"}

    state = rig.run(everywhere("a", "b", "c", max_failures=1), check("c"))

    assert state.status is Status.SUCCEEDED
    assert statuses(state)["light-2"] == "failed"
    assert rig.world.on == {"a": True, "c": True}


@pytest.mark.parametrize(("lit", "expected"), [(True, "skipped"), (False, "succeeded")])
def test_a_condition_on_an_earlier_output_decides_whether_a_step_is_done(rig, lit, expected):
    rig.world.on["hall"] = lit
    conditional = act("switch", "attic", id="attic", when="steps.see.output.lit == `false`")

    state = rig.run(look("hall", id="see"), conditional, check("hall", on=lit))

    assert (state.status, statuses(state)["attic"]) == (Status.SUCCEEDED, expected)
    assert rig.world.counts["PUT attic"] == (expected == "succeeded")
    assert replayed(rig.app, state.plan_id) == state


def test_a_condition_that_is_neither_true_nor_false_fails_the_step(rig):
    odd = act("switch", "attic", id="odd", when="steps.see.output.lamp")

    state = rig.run(look("hall", id="see"), odd, check("hall"))

    step = state.step("odd")
    assert (state.status, rig.world.effects) == (Status.FAILED, [])
    assert step.run.error is not None
    assert "neither true nor false" in step.run.error.detail


def test_an_output_is_the_input_of_a_later_step_and_of_its_undo(rig):
    rig.world.on["hall"] = True
    copied = {"stage": "act", "tool": "lamp", "action": "switch", "input": {"lamp": "attic"}, "id": "copy"}
    copied["input_from"] = {"lit": {"step": "see", "path": "lit"}}

    state = rig.run(look("hall", id="see"), copied, check("cellar"))

    assert state.status is Status.ROLLED_BACK
    assert rig.world.counts["PUT attic"] == 2
    assert rig.world.on["attic"] is False


def test_an_output_that_does_not_fit_is_never_handed_to_the_tool(rig):
    wrong = {"stage": "act", "tool": "lamp", "action": "switch", "input": {"lamp": "attic"}, "id": "wrong"}
    wrong["input_from"] = {"lit": {"step": "see", "path": "lamp"}}

    state = rig.run(look("hall", id="see"), wrong, check("hall"))

    error = state.step("wrong").run.error
    assert (state.status, rig.world.effects) == (Status.FAILED, [])
    assert error is not None
    assert error.code == "step-refused"


class Talkative:
    """A toolbox whose reads say more than a row is meant to hold."""

    def __init__(self, toolbox):
        self.toolbox = toolbox

    def run(self, invocation, **watch):
        outcome = self.toolbox.run(invocation, **watch)
        if invocation.action != "look" or outcome.output is None:
            return outcome
        return outcome.model_copy(update={"output": {**outcome.output, "talk": "word " * 20_000}})


def test_an_output_too_large_for_a_row_is_kept_as_a_blob_and_used_all_the_same(rig, database):
    rig.app = replace(rig.app, read_toolbox=cache(partial(Talkative, rig.app.toolbox)))
    rig.workers = rig.new_workers()
    rig.world.on["hall"] = True
    copied = {"stage": "act", "tool": "lamp", "action": "switch", "input": {"lamp": "attic"}, "id": "copy"}
    copied["input_from"] = {"lit": {"step": "see", "path": "lit"}}

    state = rig.run(look("hall", id="see"), copied, check("attic"))

    with database.as_superuser() as connection:
        ((kept,),) = connection.run("SELECT output FROM step_outputs WHERE step_id = 'see'")
    assert state.status is Status.SUCCEEDED
    assert kept.keys() == {"$blob", "bytes"}
    assert rig.app.blobs.has(kept["$blob"])


def test_a_wait_lets_time_pass_without_a_worker(rig):
    pause = {"stage": "act", "id": "pause", "wait": {"for_s": 0.8}}
    execution = rig.start(rig.plan(act("switch", "hall"), pause, act("switch", "attic"), check("attic")))

    rig.workers.run_until_idle()
    waiting = rig.state(execution)
    state = rig.finish(execution)

    (began, _), (ended, _) = span(state, "pause"), span(state, "s3")
    assert (waiting.status, statuses(waiting)["pause"]) == (Status.RUNNING, "waiting")
    assert state.status is Status.SUCCEEDED
    assert ended - began >= timedelta(seconds=0.8)


def test_a_wait_that_could_not_begin_at_once_is_no_shorter_for_it(rig, monkeypatch):
    away = [Unavailable("no outputs now")]
    monkeypatch.setattr(looking, "outputs_of", lambda *asked: outputs_of(*asked) if not away else fail(away.pop()))
    pause = {"stage": "act", "id": "pause", "wait": {"for_s": 2}, "when": "steps.see.output.lit == `false`"}

    state = rig.run(look("hall", id="see"), pause, act("switch", "attic"), check("attic"))

    began, ended = span(state, "pause")
    assert (away, statuses(state)["pause"]) == ([], "succeeded")
    assert ended - began >= timedelta(seconds=2)


def fail(problem):
    raise problem


def test_a_wait_whose_condition_does_not_hold_is_skipped(rig):
    pause = {"stage": "act", "id": "pause", "wait": {"for_s": 600}, "when": "steps.see.output.lit"}

    state = rig.finish(rig.start(rig.plan(look("hall", id="see"), pause, act("switch", "hall"), check("hall"))), 5)

    assert (state.status, statuses(state)["pause"]) == (Status.SUCCEEDED, "skipped")


def test_a_long_wait_is_the_clocks_to_end_and_survives_that_nobody_was_there(rig, database):
    until = datetime.now(UTC) + timedelta(hours=1)
    pause = {"stage": "act", "id": "pause", "wait": {"until": until.isoformat()}}
    plan = rig.plan(act("switch", "hall"), pause, check("hall"), constraints={"deadline_s": 7200})
    execution = rig.start(plan)

    rig.workers.run_until_idle()
    with database.as_superuser() as connection:
        assert connection.run("SELECT count(*) FROM messages WHERE queue = 'executions'") == [[0]]
        connection.run("UPDATE executions SET look_at = now() - interval '1 s'")
        connection.run(
            "UPDATE execution_steps SET parts = jsonb_set(parts, '{run,retry_at}', to_jsonb(now() - interval '1 s'))"
            " WHERE step_id = 'pause'"
        )
    rig.tick()
    state = rig.finish(execution)

    assert state.status is Status.SUCCEEDED


def test_a_check_is_asked_until_it_holds(rig):
    waiting = check("hall")
    waiting |= {"retry": None, "wait": {"check_s": 10, "every_s": 0.1}}
    execution = rig.start(rig.plan(act("noop", "hall"), waiting, environment="dev"))
    later = threading.Timer(0.8, lambda: rig.world.on.update(hall=True))
    later.start()

    state = rig.finish(execution)

    assert state.status is Status.SUCCEEDED
    assert state.steps[1].run.attempts > 2


def test_a_check_that_never_holds_fails_when_its_time_is_over(rig):
    waiting = check("hall")
    waiting |= {"retry": None, "wait": {"check_s": 0.5, "every_s": 0.1}}

    state = rig.run(act("switch", "attic"), waiting)

    assert (state.status, rig.world.on["attic"]) == (Status.ROLLED_BACK, False)


def test_a_deadline_fires_although_no_worker_was_alive_when_it_passed(rig, database):
    execution = rig.start(rig.plan(act("switch", "hall"), check("hall"), constraints={"deadline_s": 60}))
    with database.as_superuser() as connection:
        connection.run("DELETE FROM messages")
        connection.run(
            "UPDATE executions SET look_at = now() - interval '1 h',"
            " state = jsonb_set(state, '{deadline_at}', to_jsonb(now() - interval '1 h'))"
        )

    rig.tick()
    state = rig.finish(execution)

    assert (state.status, rig.world.effects) == (Status.TIMED_OUT, [])


def test_a_steps_own_deadline_fires_although_no_worker_was_alive_when_it_passed(rig, database):
    rig.world.busy = {"GET hall": 1}
    seen = check("hall", on=False) | {"retry": {"attempts": 3, "backoff_s": 20}, "deadline_s": 60, "id": "seen"}
    execution = rig.start(rig.plan(act("noop", "hall"), seen))
    rig.workers.run_until_idle()
    with database.as_superuser() as connection:
        show_messages(connection)
        connection.run(
            "UPDATE execution_steps SET parts = jsonb_set(jsonb_set(parts, '{run,retry_at}', to_jsonb(now())),"
            " '{run,started_at}', to_jsonb(now() - interval '61 s')) WHERE step_id = 'seen'"
        )

    state = rig.finish(execution)

    run = state.step("seen").run
    assert (state.status, run.status, run.attempts) == (Status.FAILED, StepStatus.FAILED, 1)


def test_a_wait_ends_at_its_own_deadline_and_has_failed_then(rig):
    pause = {"stage": "act", "id": "pause", "wait": {"for_s": 600}, "deadline_s": 0.5}

    state = rig.finish(rig.start(rig.plan(act("switch", "hall"), pause, check("hall"))), 10)

    assert (state.status, statuses(state)["pause"]) == (Status.ROLLED_BACK, "failed")


def test_a_run_whose_message_was_lost_goes_on_when_the_clock_looks_after_it(rig, database):
    execution = rig.start(rig.plan(act("switch", "hall"), check("hall")))
    with database.as_superuser() as connection:
        connection.run("DELETE FROM messages")
        connection.run("UPDATE executions SET look_at = now()")

    rig.tick()

    assert rig.finish(execution).status is Status.SUCCEEDED
