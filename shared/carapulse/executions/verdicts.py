"""What an attempt's outcome means: done, try again, failed for good, or nobody knows. Pure."""

import random
from dataclasses import dataclass
from datetime import timedelta

from carapulse.executions.model import Effect, StepError
from carapulse.kernel.errors import Problem
from carapulse.plans.steps import LEAST_REPEATS
from carapulse.tools.expectations import Expectation, unmet
from carapulse.tools.model import Outcome, OutcomeKind


@dataclass(frozen=True)
class Terms:
    """What may be done about one attempt of one step or undo."""

    writes: bool
    idempotent: bool
    has_probe: bool
    checks: bool
    attempt: int
    attempts: int
    backoff_s: float
    max_backoff_s: float
    prior: Effect
    undoes: bool = False
    expect: tuple[Expectation, ...] = ()
    deadline_s: float | None = None
    elapsed_s: float = 0.0

    @property
    def may_repeat(self) -> bool:
        """Whether another attempt is allowed: there is one left, and time for its back-off."""
        return self.attempt < self.attempts and self.has_time

    @property
    def may_repeat_unknown(self) -> bool:
        """Whether an attempt with an unknown outcome may be repeated: only what can be done twice."""
        return self.attempt < max(self.attempts, LEAST_REPEATS) and self.has_time

    @property
    def has_time(self) -> bool:
        """Whether the step's own deadline leaves room for a back-off and another attempt."""
        return self.deadline_s is None or self.elapsed_s + self.longest_delay_s < self.deadline_s

    @property
    def longest_delay_s(self) -> float:
        """The back-off before the next attempt, in seconds, before jitter."""
        return longest_delay_s(self.attempt, self.backoff_s, self.max_backoff_s)


@dataclass(frozen=True)
class Succeeded:
    """It is done, or the check held."""

    outcome: Outcome
    by_probe: bool = False


@dataclass(frozen=True)
class Retry:
    """Try again after a back-off."""

    error: StepError
    effect: Effect


@dataclass(frozen=True)
class Failed:
    """It has failed for good."""

    error: StepError
    effect: Effect


@dataclass(frozen=True)
class AskProbe:
    """The tool itself must be asked whether the effect took place."""

    error: StepError


@dataclass(frozen=True)
class Unknown:
    """A person must look."""

    error: StepError


Verdict = Succeeded | Retry | Failed | AskProbe | Unknown


def longest_delay_s(attempt: int, backoff_s: float, max_backoff_s: float) -> float:
    """Return the exponential back-off after an attempt (from 1), in seconds, before jitter."""
    return float(min(max_backoff_s, backoff_s * 2 ** min(attempt - 1, 30)))


def delay_of(longest_s: float) -> timedelta:
    """Return a back-off with jitter: between half and all of the longest."""
    return timedelta(seconds=random.uniform(longest_s / 2, longest_s))  # noqa: S311 - jitter


def judge_outcome(outcome: Outcome, terms: Terms) -> Verdict:
    """Judge what a tool answered."""
    match outcome.kind:
        case OutcomeKind.SUCCEEDED:
            return _judge_success(outcome, terms)
        case OutcomeKind.FAILED:
            error = StepError(code="tool-failed", detail=outcome.detail)
            repeats = terms.may_repeat and (terms.checks or _may_do_again(outcome, terms))
            effect = _failed_effect(outcome, terms)
            return Retry(error, effect) if repeats else Failed(error, effect)
        case OutcomeKind.UNKNOWN:
            return judge_unknown(StepError(code="outcome-unknown", detail=outcome.detail), terms)


def judge_problem(problem: Problem, terms: Terms) -> Verdict:
    """Judge an attempt that changed nothing, because it could not be made."""
    error = StepError(code=problem.code, detail=problem.detail)
    if problem.retryable and terms.may_repeat:
        return Retry(error, terms.prior)
    return Failed(error, terms.prior)


def judge_unknown(error: StepError, terms: Terms) -> Verdict:
    """Judge an attempt whose effect nobody saw: a lost worker, a timeout, a cut connection. Never a blind repeat."""
    if not terms.writes:
        return Retry(error, terms.prior) if terms.may_repeat_unknown else Failed(error, terms.prior)
    if terms.has_probe:
        return AskProbe(error)
    if not terms.idempotent:
        return Unknown(error)
    return Retry(error, Effect.MAYBE) if terms.may_repeat_unknown else Failed(error, Effect.MAYBE)


def judge_probe(answer: Outcome, error: StepError, terms: Terms) -> Verdict:
    """Judge what the probe said about an earlier attempt."""
    match answer.kind:
        case OutcomeKind.SUCCEEDED:
            return Succeeded(answer, by_probe=True)
        case OutcomeKind.FAILED:
            return Retry(error, terms.prior) if terms.may_repeat_unknown else Failed(error, terms.prior)
        case OutcomeKind.UNKNOWN:
            return Unknown(error)


def _judge_success(outcome: Outcome, terms: Terms) -> Verdict:
    missed = unmet(terms.expect, outcome.output)
    if not missed:
        return Succeeded(outcome)
    detail = "; ".join(f"{each.expectation.path}: {each.reason}" for each in missed)
    error = StepError(code="expectation-unmet", detail=detail)
    if terms.writes:
        return Failed(error, Effect.DONE)
    return Retry(error, terms.prior) if terms.may_repeat and terms.checks else Failed(error, terms.prior)


def _may_do_again(outcome: Outcome, terms: Terms) -> bool:
    """Return whether a write that failed may be made again: what was refused would be; a way back is tried again."""
    return terms.writes and terms.idempotent and (terms.undoes or not outcome.unchanged)


def _failed_effect(outcome: Outcome, terms: Terms) -> Effect:
    """Return what is known: what was refused changed nothing; a program that failed half-way may have."""
    if not terms.writes or outcome.unchanged:
        return terms.prior
    return Effect.MAYBE
