"""An attempt whose intent is committed: from its effect to its result."""

import random
import time
from dataclasses import dataclass
from datetime import timedelta

from carapulse.executions.advancing import advance, note
from carapulse.executions.attempts import Attempt, ask_tool
from carapulse.executions.errors import StepInterrupted
from carapulse.executions.events import StepFailed, StepRetried, StepSucceeded, StepUnknown
from carapulse.executions.lines import Line
from carapulse.executions.model import ExecutionState, StepError
from carapulse.executions.monitoring import Monitor
from carapulse.executions.ports import ExecutionPorts, ExecutionWork
from carapulse.executions.verdicts import (
    AskProbe,
    Failed,
    Retry,
    Succeeded,
    Terms,
    Unknown,
    Verdict,
    judge_outcome,
    judge_probe,
    judge_problem,
    judge_unknown,
)
from carapulse.kernel.call import Call
from carapulse.kernel.canonical import digest
from carapulse.kernel.errors import Problem, Unavailable
from carapulse.observe import get_logger
from carapulse.tools.model import Invocation, Mode

log = get_logger(__name__)
_LOST = StepError(code="worker-lost", detail="the worker that ran this attempt is gone")
_PATIENCE_S = 60.0  # how long a result is held while the database is away; after that it is as if the worker was lost


@dataclass(frozen=True)
class Performance:
    """One attempt, with the fence that gives the right to say what came of it."""

    attempt: Attempt
    invocation: Invocation
    terms: Terms
    fence: int
    call: Call
    ports: ExecutionPorts

    def perform(self) -> None:
        """Have the effect, and commit the result and what comes next."""
        with self._monitor() as monitor:
            verdict = self._resolved(self._have_effect(monitor), monitor)
        self._conclude(verdict, monitor)

    def recover(self) -> None:
        """Find out what came of an attempt whose worker is gone, without having the effect again."""
        with self.ports.begin(self.call) as work:
            work.executions.lease(*self.attempt.message.key, self.fence, self.ports.settings.visibility_s)
        with self._monitor() as monitor:
            verdict = self._resolved(judge_unknown(_LOST, self.terms), monitor)
        self._conclude(verdict, monitor)

    def _monitor(self) -> Monitor:
        return Monitor(self.attempt.message, self.fence, self.call, self.ports)

    def _have_effect(self, monitor: Monitor) -> Verdict:
        try:
            outcome = ask_tool(self.attempt, self.invocation, monitor, self.ports)
        except Problem as problem:
            return judge_problem(problem, self.terms)
        return judge_outcome(outcome, self.terms)

    def _resolved(self, verdict: Verdict, monitor: Monitor) -> Verdict:
        """Ask the tool itself, where that is what the verdict says."""
        if not isinstance(verdict, AskProbe) or self.ports.stopping.is_set():
            return verdict
        error = verdict.error
        probe = self.invocation.model_copy(update={"mode": Mode.PROBE})
        try:
            answer = ask_tool(self.attempt, probe, monitor, self.ports)
        except Problem as problem:
            return Unknown(StepError(code=error.code, detail=f"{error.detail}; the probe failed: {problem.detail}"))
        return judge_probe(answer, error, self.terms)

    def _conclude(self, verdict: Verdict, monitor: Monitor) -> None:
        """Commit the result, unless it is that the program's own end cut the tool or its probe short."""
        cut = isinstance(verdict, AskProbe | Unknown) or (
            monitor.cancelled.is_set() and not isinstance(verdict, Succeeded)
        )
        if cut and self.ports.stopping.is_set():
            self._leave(monitor.last_lines())
            raise StepInterrupted("the program is to end", step_id=self.attempt.step.id)
        self._settle_patiently(verdict, monitor.last_lines())

    def _leave(self, lines: list[Line]) -> None:
        """Give the lease back without a result, so that the next worker finds out at once what came of it."""
        with self.ports.begin(self.call) as work:
            work.executions.add_lines(lines)
            work.executions.end_lease(*self.attempt.message.key, self.fence)

    def _settle_patiently(self, verdict: Verdict, lines: list[Line]) -> None:
        """Hold on to the result while the database is away: it is known here and nowhere else."""
        until, pause = time.monotonic() + _PATIENCE_S, 0.1
        while True:
            try:
                self._settle(verdict, lines)
            except Unavailable as problem:
                if time.monotonic() + pause > until:
                    raise
                log.warning("result_held", step_id=self.attempt.step.id, detail=problem.detail)
                time.sleep(pause)
                pause = min(2.0, pause * 2)
            else:
                return

    def _settle(self, verdict: Verdict, lines: list[Line]) -> None:
        message = self.attempt.message
        with self.ports.begin(self.call) as work:
            state = self._note(work, work.executions.lock(message.execution_id), verdict)
            work.executions.add_lines(lines)
            work.executions.end_lease(*message.key, self.fence)
            advance(work, state)

    def _note(self, work: ExecutionWork, state: ExecutionState, verdict: Verdict) -> ExecutionState:
        message, fence = self.attempt.message, self.fence
        match verdict:
            case Succeeded(outcome, by_probe):
                kept = digest(outcome.output)
                facts = {"output_digest": kept, "duration_ms": outcome.duration_ms, "by_probe": by_probe}
                after = note(work, state, StepSucceeded(**message.names, fence=fence, **facts))
                work.executions.keep_output((*message.key, fence), outcome, kept)
                return after
            case Retry(error, effect):
                retry_at = work.now() + delay_of(self.terms.longest_delay_s)
                again = StepRetried(**message.names, fence=fence, error=error, effect=effect, retry_at=retry_at)
                return note(work, state, again)
            case Failed(error, effect):
                return note(work, state, StepFailed(**message.names, fence=fence, error=error, effect=effect))
            case Unknown(error) | AskProbe(error):
                return note(work, state, StepUnknown(**message.names, fence=fence, error=error))


def delay_of(longest_s: float) -> timedelta:
    """Return a back-off with jitter: between half and all of the longest."""
    return timedelta(seconds=random.uniform(longest_s / 2, longest_s))  # noqa: S311 - jitter
