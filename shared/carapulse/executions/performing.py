"""An attempt whose intent is committed: its effect, and what is known of it afterwards."""

from dataclasses import dataclass, replace

from carapulse.executions.attempts import Attempt, ask_tool
from carapulse.executions.errors import StepInterrupted
from carapulse.executions.lines import Line
from carapulse.executions.model import ExecutionState, StepError
from carapulse.executions.ports import ExecutionPorts
from carapulse.executions.verdicts import (
    AskProbe,
    Succeeded,
    Terms,
    Unknown,
    Verdict,
    judge_outcome,
    judge_probe,
    judge_problem,
    judge_unknown,
)
from carapulse.executions.watching import Watched
from carapulse.kernel.errors import Problem
from carapulse.plans.steps import Stage
from carapulse.tools.model import Mode, Outcome, OutcomeKind

_LOST = StepError(code="worker-lost", detail="the worker that ran this attempt is gone")


@dataclass(frozen=True, slots=True)
class Ended:
    """What came of an attempt, and the lines of its tool that are not stored yet."""

    attempt: Attempt
    verdict: Verdict
    lines: list[Line]


@dataclass(frozen=True, slots=True)
class Performer:
    """Has effects, and finds out about those of workers that are gone."""

    watched: Watched
    ports: ExecutionPorts

    def perform(self, attempt: Attempt, state: ExecutionState) -> Ended:
        """Have the effect, and return what is known of it."""
        self.watched.begin(attempt.step.id, attempt.phase)
        verdict = self._have_effect(attempt, state)
        return self._ended(attempt, self._resolved(verdict, attempt, state))

    def recover(self, attempt: Attempt, state: ExecutionState) -> Ended:
        """Find out what came of an attempt whose worker is gone, without having the effect again."""
        self.watched.begin(attempt.step.id, attempt.phase)
        verdict = judge_unknown(_LOST, self._terms(attempt, state))
        if attempt.simulated is not None:
            verdict = Succeeded(_simulated(attempt.simulated))
        return self._ended(attempt, self._resolved(verdict, attempt, state))

    def _terms(self, attempt: Attempt, state: ExecutionState) -> Terms:
        """Return the terms with the time that the step has taken by now, over all its attempts."""
        began = state.step(attempt.step.id).part(attempt.phase).started_at
        if attempt.terms.deadline_s is None or began is None:
            return attempt.terms
        return replace(attempt.terms, elapsed_s=(self.ports.clock.now() - began).total_seconds())

    def _have_effect(self, attempt: Attempt, state: ExecutionState) -> Verdict:
        if attempt.simulated is not None:
            return Succeeded(_simulated(attempt.simulated))
        invocation = attempt.invocation
        if state.dry_run and attempt.step.mutating:
            invocation = invocation.model_copy(update={"mode": Mode.DRY_RUN})
        try:
            outcome = ask_tool(invocation, self.watched, attempt.deadline_s, self.ports)
        except Problem as problem:
            return judge_problem(problem, self._terms(attempt, state))
        verdict = judge_outcome(outcome, self._terms(attempt, state))
        if state.dry_run and attempt.step.stage is Stage.VERIFY and not isinstance(verdict, Succeeded):
            return Succeeded(_simulated(f"not so before the change: {outcome.detail}"))
        return verdict

    def _resolved(self, verdict: Verdict, attempt: Attempt, state: ExecutionState) -> Verdict:
        """Ask the tool itself, where that is what the verdict says."""
        if not isinstance(verdict, AskProbe) or self.ports.stopping.is_set():
            return verdict
        error = verdict.error
        probe = attempt.invocation.model_copy(update={"mode": Mode.PROBE})
        try:
            answer = ask_tool(probe, self.watched, attempt.step.timeout_s, self.ports)
        except Problem as problem:
            return Unknown(StepError(code=error.code, detail=f"{error.detail}; the probe failed: {problem.detail}"))
        return judge_probe(answer, error, self._terms(attempt, state))

    def _ended(self, attempt: Attempt, verdict: Verdict) -> Ended:
        """Return what came of it, unless it is that the program's own end cut the tool or its probe short."""
        cut = isinstance(verdict, AskProbe | Unknown) or (
            self.watched.cancelled.is_set() and not isinstance(verdict, Succeeded)
        )
        if cut and self.ports.stopping.is_set():
            raise StepInterrupted("the program is to end", step_id=attempt.step.id)
        return Ended(attempt, verdict, self.watched.end())


def _simulated(said: str) -> Outcome:
    return Outcome(kind=OutcomeKind.SUCCEEDED, detail=said, output={"simulated": said})
