"""The step protocol: capture, check, commit the intent, have the effect, commit the result. At least once is enough."""

from dataclasses import dataclass
from typing import Any

from carapulse.executions.advancing import advance, note
from carapulse.executions.attempts import Attempt, ask_tool, invocation_of, load_attempt, terms_of
from carapulse.executions.errors import EventOutOfPlace, StepBusy, StepInterrupted, StepRefused
from carapulse.executions.events import Grant, StepFailed, StepRetried, StepStarted
from carapulse.executions.lifecycle import may_start
from carapulse.executions.messages import RunStep
from carapulse.executions.model import ExecutionState, StepError
from carapulse.executions.monitoring import Monitor
from carapulse.executions.performing import Performance, delay_of
from carapulse.executions.ports import ExecutionPorts, ExecutionWork
from carapulse.executions.rechecking import check_approval, check_digests, recheck
from carapulse.executions.verdicts import longest_delay_s
from carapulse.kernel.call import Call
from carapulse.kernel.errors import Problem
from carapulse.observe import get_logger
from carapulse.tools.model import Invocation, Mode, OutcomeKind

log = get_logger(__name__)


@dataclass(frozen=True)
class Intent:
    """What is about to be done, on whose word, and what its undo will need."""

    captured: Any
    invocation: Invocation
    grant: Grant | None


def run_step(message: RunStep, call: Call, ports: ExecutionPorts) -> None:
    """Make one attempt. A repeated, late or foreign message changes nothing; StepBusy if another worker is at it."""
    attempt = load_attempt(message, call, ports)
    try:
        if attempt.was_started:
            _take_over(attempt, call, ports)
        elif attempt.is_next:
            _make(attempt, call, ports)
    except EventOutOfPlace as problem:
        log.info("step_overtaken", execution_id=message.execution_id, step_id=message.step_id, detail=problem.detail)


def _make(attempt: Attempt, call: Call, ports: ExecutionPorts) -> None:
    if attempt.message.phase == "run" and ports.clock.now() >= attempt.state.deadline_at:
        with ports.begin(call) as work:
            advance(work, _locked(work, attempt.message))
        return
    try:
        intent = _intend(attempt, call, ports)
    except Problem as problem:
        _refuse(attempt, problem, call, ports)
        return
    fence = _commit(intent, attempt, call, ports)
    if fence is not None:
        terms = terms_of(attempt, intent.invocation, ports)
        Performance(attempt, intent.invocation, terms, fence, call, ports).perform()


def _take_over(attempt: Attempt, call: Call, ports: ExecutionPorts) -> None:
    """Settle an attempt whose worker is gone; its effect may have taken place."""
    if attempt.held_for > 0:
        raise StepBusy("another worker is at this step", step_id=attempt.step.id, seconds=attempt.held_for)
    invocation = invocation_of(attempt, attempt.place.captured, call, ports)
    fence = attempt.place.part(attempt.message.phase).fence
    Performance(attempt, invocation, terms_of(attempt, invocation, ports), fence, call, ports).recover()


def _intend(attempt: Attempt, call: Call, ports: ExecutionPorts) -> Intent:
    """Capture first and check after it: what was allowed before a slow capture may not be allowed any more."""
    captured = _capture(attempt, call, ports)
    invocation = invocation_of(attempt, captured, call, ports)
    return Intent(captured, invocation, recheck(attempt, call, ports))


def _capture(attempt: Attempt, call: Call, ports: ExecutionPorts) -> Any:  # noqa: ANN401 - any JSON value
    """Read what the undo will need, once, before the first attempt."""
    step, place = attempt.step, attempt.place
    if attempt.message.phase == "undo" or place.captured is not None or not step.mutating:
        return place.captured
    if ports.catalogue.action(step.tool, step.action).capture is None:
        return None
    check_digests(attempt, ports)
    invocation = invocation_of(attempt, None, call, ports).model_copy(update={"mode": Mode.CAPTURE})
    with Monitor(attempt.message, None, call, ports) as monitor:
        outcome = ask_tool(attempt, invocation, monitor, ports)
    if outcome.kind is not OutcomeKind.SUCCEEDED:
        raise StepRefused(f"the state before could not be captured: {outcome.detail}", step_id=step.id)
    return outcome.output


def _commit(intent: Intent, attempt: Attempt, call: Call, ports: ExecutionPorts) -> int | None:
    """Let the step begin and return its fence; None if, at this very moment, it may not begin any more."""
    message = attempt.message
    with ports.begin(call) as work:
        state = _locked(work, message)
        if message.phase == "run" and work.now() >= state.deadline_at:
            advance(work, state)
            return None
        try:
            check_approval(work, state, attempt, ports)
        except StepRefused as problem:
            _note_refusal(work, state, attempt, problem)
            return None
        fence = state.fences + 1
        names = {**message.names, "attempt": message.attempt, "fence": fence}
        event = StepStarted(**names, captured=intent.captured, grant=intent.grant)
        work.executions.replace(note(work, state, event))
        work.executions.lease(*message.key, fence, ports.settings.visibility_s)
    return fence


def _refuse(attempt: Attempt, problem: Problem, call: Call, ports: ExecutionPorts) -> None:
    """Record that nothing of this attempt was started; what the program's own end cut short is left to the next one."""
    if ports.stopping.is_set():
        raise StepInterrupted("the program is to end", step_id=attempt.step.id) from problem
    with ports.begin(call) as work:
        _note_refusal(work, _locked(work, attempt.message), attempt, problem)


def _note_refusal(work: ExecutionWork, state: ExecutionState, attempt: Attempt, problem: Problem) -> None:
    """Try again later if that may help; else the step has failed."""
    message, retry = attempt.message, attempt.step.retry
    error = StepError(code=problem.code, detail=problem.detail)
    effect = state.step(message.step_id).part(message.phase).effect
    names: dict[str, Any] = {**message.names, "fence": 0, "error": error, "effect": effect}
    if problem.retryable and message.attempt < attempt.most:
        longest = longest_delay_s(message.attempt, retry.backoff_s, retry.max_backoff_s)
        event: StepRetried | StepFailed = StepRetried(**names, retry_at=work.now() + delay_of(longest))
    else:
        event = StepFailed(**names)
    advance(work, note(work, state, event))


def _locked(work: ExecutionWork, message: RunStep) -> ExecutionState:
    """Return the execution, locked; EventOutOfPlace if something else has come next since the attempt was read."""
    state = work.executions.lock(message.execution_id)
    if not may_start(state, message.step_id, message.phase, message.attempt):
        raise EventOutOfPlace("something else comes next by now", step_id=message.step_id)
    return state
