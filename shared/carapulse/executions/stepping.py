"""The step protocol: check, capture, commit the intent, have the effect, commit the result. At least once is enough."""

from typing import Any

from carapulse.executions.advancing import advance, note
from carapulse.executions.attempts import Attempt, ask_tool, invocation_of, load_attempt, terms_of
from carapulse.executions.errors import EventOutOfPlace, StepBusy, StepRefused
from carapulse.executions.events import Grant, StepFailed, StepRetried, StepStarted
from carapulse.executions.messages import RunStep
from carapulse.executions.model import StepError
from carapulse.executions.monitoring import Monitor
from carapulse.executions.performing import Performance, delay_of
from carapulse.executions.ports import ExecutionPorts
from carapulse.executions.rechecking import recheck
from carapulse.executions.verdicts import longest_delay_s
from carapulse.kernel.call import Call
from carapulse.kernel.errors import Problem
from carapulse.observe import get_logger
from carapulse.tools.model import Mode, OutcomeKind

log = get_logger(__name__)


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
    try:
        grant = recheck(attempt, call, ports)
        captured = _capture(attempt, call, ports)
        invocation = invocation_of(attempt, captured, call, ports)
    except Problem as problem:
        _refuse(attempt, problem, call, ports)
        return
    terms = terms_of(attempt, invocation, ports)
    fence = _commit_intent(attempt, captured, grant, call, ports)
    Performance(attempt, invocation, terms, fence, call, ports).perform()


def _take_over(attempt: Attempt, call: Call, ports: ExecutionPorts) -> None:
    """Settle an attempt whose worker is gone; its effect may have taken place."""
    if attempt.held_for > 0:
        raise StepBusy("another worker is at this step", step_id=attempt.step.id, seconds=attempt.held_for)
    invocation = invocation_of(attempt, attempt.place.captured, call, ports)
    fence = attempt.place.part(attempt.message.phase).fence
    Performance(attempt, invocation, terms_of(attempt, invocation, ports), fence, call, ports).recover()


def _capture(attempt: Attempt, call: Call, ports: ExecutionPorts) -> Any:  # noqa: ANN401 - any JSON value
    """Read what the undo will need, once, before the first attempt."""
    step, place = attempt.step, attempt.place
    if attempt.message.phase == "undo" or place.captured is not None or not step.mutating:
        return place.captured
    if ports.catalogue.action(step.tool, step.action).capture is None:
        return None
    invocation = invocation_of(attempt, None, call, ports).model_copy(update={"mode": Mode.CAPTURE})
    with Monitor(attempt.message, None, call, ports) as monitor:
        outcome = ask_tool(attempt, invocation, monitor, ports)
    if outcome.kind is not OutcomeKind.SUCCEEDED:
        raise StepRefused(f"the state before could not be captured: {outcome.detail}", step_id=step.id)
    return outcome.output


def _commit_intent(
    attempt: Attempt,
    captured: Any,  # noqa: ANN401 - any JSON value
    grant: Grant | None,
    call: Call,
    ports: ExecutionPorts,
) -> int:
    message = attempt.message
    with ports.begin(call) as work:
        state = work.executions.lock(message.execution_id)
        fence: int = state.fences + 1
        event = StepStarted(**message.names, attempt=message.attempt, fence=fence, captured=captured, grant=grant)
        work.executions.replace(note(work, state, event))
        work.executions.lease(*message.key, fence, ports.settings.visibility_s)
    return fence


def _refuse(attempt: Attempt, problem: Problem, call: Call, ports: ExecutionPorts) -> None:
    """Record that nothing of this attempt was started: tried again later if that may help, failed otherwise."""
    message, retry = attempt.message, attempt.step.retry
    error = StepError(code=problem.code, detail=problem.detail)
    names: dict[str, Any] = {**message.names, "fence": 0, "error": error}
    with ports.begin(call) as work:
        state = work.executions.lock(message.execution_id)
        names["effect"] = state.step(message.step_id).part(message.phase).effect
        if problem.retryable and message.attempt < retry.attempts:
            longest = longest_delay_s(message.attempt, retry.backoff_s, retry.max_backoff_s)
            event: StepRetried | StepFailed = StepRetried(**names, retry_at=work.now() + delay_of(longest))
        else:
            event = StepFailed(**names)
        advance(work, note(work, state, event))
