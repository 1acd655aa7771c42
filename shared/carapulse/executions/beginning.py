"""How an attempt begins: what it needs is looked at, everybody who must allows it, and its intent is drafted."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from carapulse.executions.attempts import (
    Attempt,
    ask_tool,
    invocation_of,
    most_attempts,
    simulation_of,
    terms_of,
    time_left_s,
)
from carapulse.executions.drafts import Draft
from carapulse.executions.errors import StepInterrupted, StepRefused
from carapulse.executions.events import (
    Grant,
    StepDelayed,
    StepFailed,
    StepRetried,
    StepSkipped,
    StepStarted,
    StepSucceeded,
)
from carapulse.executions.lifecycle import Start
from carapulse.executions.looking import Looked, look, needs_outputs
from carapulse.executions.model import Run, StepError
from carapulse.executions.ports import ExecutionPorts
from carapulse.executions.rechecking import Standpoint, check_tools, recheck
from carapulse.executions.verdicts import delay_of, longest_delay_s
from carapulse.executions.watching import Watched
from carapulse.kernel.call import Call
from carapulse.kernel.canonical import digest
from carapulse.kernel.errors import Problem
from carapulse.plans.model import PlanStep
from carapulse.plans.steps import LEAST_REPEATS
from carapulse.tools.model import Mode, OutcomeKind


@dataclass(frozen=True, slots=True)
class Beginner:
    """Begins attempts of one execution, under one worker's lease."""

    watched: Watched
    call: Call
    ports: ExecutionPorts

    def needs_look(self, on: Standpoint, start: Start) -> bool:
        """Return whether something outside has to be read first, which may take long."""
        step = step_of(on, start.step_id)
        return needs_outputs(step, start.phase) or self._captures(on, step, start)

    def look(self, on: Standpoint, start: Start) -> Looked | Problem:
        """Read what the attempt needs, or return why it can't be begun. Capture comes last: it is what undo goes by."""
        step = step_of(on, start.step_id)
        try:
            looked = look(on.state, on.version, step, start.phase, self.call, self.ports)
            if looked.skip or not self._captures(on, step, start):
                return looked
            return self._captured(on, step, looked)
        except StepInterrupted:
            raise
        except Problem as problem:
            return problem

    def begin(self, draft: Draft, on: Standpoint, start: Start, looked: Looked | Problem) -> Attempt | None:
        """Draft the intent and return the attempt; None if instead it was skipped, delayed or refused."""
        step = step_of(on, start.step_id)
        try:
            if isinstance(looked, Problem):
                raise looked
            if looked.skip:
                names = {"execution_id": draft.state.id, "step_id": step.id}
                draft.note(StepSkipped(**names, condition=step.when or ""))
                return None
            if step.wait is not None and step.wait.pauses:
                self._wait(draft, step, start)
                return None
            if start.phase == "run" and draft.at >= _ends(step, draft.state.step(step.id).run, draft.at):
                raise StepRefused("the time that the step may take is over", step_id=step.id)
            return self._intend(draft, on, start, looked)
        except Problem as problem:
            if self.ports.stopping.is_set():
                raise StepInterrupted("the program is to end", step_id=step.id) from problem
            refuse(draft, step, start, problem)
            return None

    def attempt(self, on: Standpoint, start: Start, looked: Looked, fence: int) -> Attempt:
        """Return an attempt as its tool needs it."""
        step = step_of(on, start.step_id)
        place = on.state.step(step.id)
        invocation = invocation_of(on.version, step, start.phase, looked, self.ports, self.call)
        return Attempt(
            step=step,
            phase=start.phase,
            number=start.attempt,
            fence=fence,
            invocation=invocation,
            terms=terms_of(on.state, step, start, invocation, self.ports),
            deadline_s=time_left_s(on.state, step, start.phase, place.part(start.phase), self.ports),
            simulated=simulation_of(step, invocation, looked, self.ports) if on.state.dry_run else None,
        )

    def _intend(self, draft: Draft, on: Standpoint, start: Start, looked: Looked) -> Attempt:
        fence = draft.state.fences + 1
        attempt = self.attempt(on, start, looked, fence)
        grant = recheck(on, attempt.step, start.phase, self.call, self.ports)
        fresh = on.state.step(attempt.step.id).captured is None and looked.captured is not None
        draft.note(
            StepStarted(
                execution_id=draft.state.id,
                step_id=attempt.step.id,
                phase=start.phase,
                attempt=start.attempt,
                fence=fence,
                lease=self.watched.lease,
                input_digest=digest(attempt.invocation.input) if attempt.step.input_from else None,
                captured=looked.captured if fresh else None,
                grant=grant,
            )
        )
        if fresh:
            draft.captured[attempt.step.id] = looked.captured
        return attempt

    def _captures(self, on: Standpoint, step: PlanStep, start: Start) -> bool:
        if start.phase == "undo" or not step.mutating or on.state.dry_run:
            return False
        if on.state.step(step.id).captured is not None:
            return False
        return self.ports.catalogue.action(step.tool, step.action).capture is not None

    def _captured(self, on: Standpoint, step: PlanStep, looked: Looked) -> Looked:
        """Read what the undo will need, once, before the first attempt."""
        check_tools(on.version, self.ports)
        self.watched.begin(step.id, "run")
        invocation = invocation_of(on.version, step, "run", looked, self.ports, self.call)
        left_s = time_left_s(on.state, step, "run", on.state.step(step.id).run, self.ports)
        outcome = ask_tool(invocation.model_copy(update={"mode": Mode.CAPTURE}), self.watched, left_s, self.ports)
        if self.ports.stopping.is_set() and outcome.kind is not OutcomeKind.SUCCEEDED:
            raise StepInterrupted("the program is to end", step_id=step.id)
        if outcome.kind is not OutcomeKind.SUCCEEDED:
            raise StepRefused(f"the state before could not be captured: {outcome.detail}", step_id=step.id)
        return Looked(looked.input, outcome.output, looked.earlier_output)

    def _wait(self, draft: Draft, step: PlanStep, start: Start) -> None:
        """Let time pass without a worker; once it has, the step is done. A dry run does not wait."""
        run = draft.state.step(step.id).run
        wanted, ends = _until(step, run.started_at or draft.at), _ends(step, run, draft.at)
        told = run.retry_at if run.attempts == run.spent else None  # else it is when a refused attempt is made again
        until = told or min(wanted, ends)
        if until > draft.at and not draft.state.dry_run:
            draft.note(StepDelayed(execution_id=draft.state.id, step_id=step.id, until=until))
            return
        if ends < wanted and not draft.state.dry_run:
            raise StepRefused("the time that the step may take is over before what it waits for", step_id=step.id)
        names = {"execution_id": draft.state.id, "step_id": step.id, "phase": "run", "fence": draft.state.fences + 1}
        draft.note(StepStarted(**names, attempt=start.attempt, lease=self.watched.lease))
        draft.note(StepSucceeded(**names, output_digest=None, duration_ms=0))


def step_of(on: Standpoint, step_id: str) -> PlanStep:
    """Return the step as it was planned; StepRefused if the plan has no such step."""
    step = on.version.step(step_id)
    if step is None:
        raise StepRefused("the plan has no such step", step_id=step_id)
    return step


def refuse(draft: Draft, step: PlanStep, start: Start, problem: Problem) -> None:
    """Draft that nothing of this attempt was started: to be tried again if that may help, else the step has failed.

    What was not started may be tried again however often the step itself may be.
    """
    part = draft.state.step(step.id).part(start.phase)
    names = {
        "execution_id": draft.state.id,
        "step_id": step.id,
        "phase": start.phase,
        "fence": 0,
        "error": StepError(code=problem.code, detail=problem.detail),
        "effect": part.effect,
    }
    tried = start.attempt - part.spent
    most = max(LEAST_REPEATS, most_attempts(draft.state, step, start.phase))
    longest = longest_delay_s(tried, step.retry.backoff_s, step.retry.max_backoff_s)
    in_time = start.phase == "undo" or draft.at + timedelta(seconds=longest) < _ends(step, part, draft.at)
    if problem.retryable and tried < most and in_time:
        draft.note(StepRetried(**names, retry_at=draft.at + delay_of(longest)))
    else:
        draft.note(StepFailed(**names, grant=Grant.refused(problem)))


def _until(step: PlanStep, at: datetime) -> datetime:
    wait = step.wait
    if wait is not None and wait.until is not None:
        return wait.until
    return at + timedelta(seconds=wait.for_s or 0 if wait is not None else 0)


def _ends(step: PlanStep, run: Run, at: datetime) -> datetime:
    """Return until when a step may take that began some time ago, or begins at a moment."""
    if step.deadline_s is None:
        return datetime.max.replace(tzinfo=UTC)
    return (run.started_at or at) + timedelta(seconds=step.deadline_s)
