"""What an attempt's outcome means."""

from dataclasses import replace

import pytest

from carapulse.executions.model import Effect, StepError
from carapulse.executions.verdicts import (
    AskProbe,
    Failed,
    Retry,
    Succeeded,
    Terms,
    Unknown,
    judge_outcome,
    judge_probe,
    judge_problem,
    judge_unknown,
)
from carapulse.kernel.errors import Denied, Unavailable
from carapulse.tools.expectations import Comparison, Expectation
from carapulse.tools.model import Outcome, OutcomeKind

LOST = StepError(code="worker-lost", detail="gone")
LIT = Expectation(path="lit", op=Comparison.EQ, value=True)


def terms(**given):
    defaults = {"writes": True, "idempotent": False, "has_probe": False, "checks": False, "attempt": 1, "attempts": 1}
    return Terms(**{**defaults, "backoff_s": 1, "max_backoff_s": 5, "prior": Effect.NONE, **given})


def outcome(kind, **given):
    return Outcome(kind=kind, detail="it said so", **given)


def test_a_write_that_was_refused_changed_nothing():
    verdict = judge_outcome(outcome(OutcomeKind.FAILED, unchanged=True), terms())

    assert isinstance(verdict, Failed)
    assert verdict.effect is Effect.NONE


@pytest.mark.parametrize(
    ("unchanged", "undoes", "verdict"),
    [(True, False, Failed), (False, False, Retry), (True, True, Retry), (False, True, Retry)],
)
def test_what_was_refused_is_not_asked_for_again_but_to_go_back(unchanged, undoes, verdict):
    again = terms(idempotent=True, attempts=3, undoes=undoes)

    assert isinstance(judge_outcome(outcome(OutcomeKind.FAILED, unchanged=unchanged), again), verdict)


def test_a_write_that_failed_may_have_changed_something():
    verdict = judge_outcome(outcome(OutcomeKind.FAILED), terms())

    assert isinstance(verdict, Failed)
    assert verdict.effect is Effect.MAYBE


def test_an_earlier_attempt_that_may_have_changed_something_is_not_forgotten():
    verdict = judge_outcome(outcome(OutcomeKind.FAILED, unchanged=True), terms(prior=Effect.MAYBE))

    assert isinstance(verdict, Failed)
    assert verdict.effect is Effect.MAYBE


@pytest.mark.parametrize("output", [{"lit": False}, {}, None, {"lit": "true"}])
def test_a_check_that_does_not_hold_never_passes(output):
    verdict = judge_outcome(
        outcome(OutcomeKind.SUCCEEDED, output=output), terms(writes=False, checks=True, expect=(LIT,))
    )

    assert isinstance(verdict, Failed)
    assert verdict.error.code == "expectation-unmet"


def test_a_check_is_asked_again_while_it_may_be():
    waiting = terms(writes=False, checks=True, expect=(LIT,), attempts=3)

    assert isinstance(judge_outcome(outcome(OutcomeKind.SUCCEEDED, output={"lit": False}), waiting), Retry)
    assert isinstance(judge_outcome(outcome(OutcomeKind.SUCCEEDED, output={"lit": True}), waiting), Succeeded)


@pytest.mark.parametrize(
    ("can", "expected"),
    [
        ({"idempotent": True}, Retry),
        ({"has_probe": True}, AskProbe),
        ({}, Unknown),
        ({"writes": False}, Retry),
        ({"idempotent": True, "attempt": 3}, Failed),
    ],
)
def test_what_nobody_saw_is_repeated_asked_about_or_given_to_a_person(can, expected):
    assert isinstance(judge_unknown(LOST, terms(**can)), expected)


def test_a_probe_that_cannot_tell_gives_it_to_a_person():
    assert isinstance(judge_probe(outcome(OutcomeKind.UNKNOWN), LOST, terms(has_probe=True)), Unknown)
    assert isinstance(judge_probe(outcome(OutcomeKind.SUCCEEDED), LOST, terms(has_probe=True)), Succeeded)
    assert isinstance(judge_probe(outcome(OutcomeKind.FAILED), LOST, terms(has_probe=True)), Retry)


def test_only_what_waiting_helps_is_tried_again():
    assert isinstance(judge_problem(Unavailable("away"), terms(attempts=2)), Retry)
    assert isinstance(judge_problem(Unavailable("away"), terms(attempts=1)), Failed)
    assert isinstance(judge_problem(Denied("no"), terms(attempts=2)), Failed)


def test_the_back_off_grows_and_ends_growing():
    delays = [terms(attempt=attempt, backoff_s=1, max_backoff_s=5).longest_delay_s for attempt in (1, 2, 3, 4, 9)]

    assert delays == [1, 2, 4, 5, 5]


@pytest.mark.parametrize(
    ("elapsed_s", "expected"),
    [(0, Retry), (8.9, Retry), (9, Failed), (60, Failed)],
)
def test_the_steps_own_deadline_must_leave_room_for_the_back_off(elapsed_s, expected):
    hurried = terms(writes=False, checks=True, attempts=9, deadline_s=10, elapsed_s=elapsed_s)

    assert isinstance(judge_outcome(outcome(OutcomeKind.FAILED), hurried), expected)
    assert isinstance(judge_problem(Unavailable("away"), hurried), expected)
    assert isinstance(judge_unknown(LOST, hurried), expected)


def test_a_later_back_off_is_longer_and_needs_more_room():
    late = terms(writes=False, checks=True, attempts=9, attempt=3, deadline_s=10, elapsed_s=7)

    assert isinstance(judge_outcome(outcome(OutcomeKind.FAILED), late), Failed)


def test_a_probe_is_asked_whatever_the_time_but_what_it_denies_is_not_repeated_too_late():
    late = terms(has_probe=True, attempts=3, deadline_s=10, elapsed_s=60)

    assert isinstance(judge_unknown(LOST, late), AskProbe)
    assert isinstance(judge_probe(outcome(OutcomeKind.SUCCEEDED), LOST, late), Succeeded)
    assert isinstance(judge_probe(outcome(OutcomeKind.FAILED), LOST, late), Failed)


def test_what_may_not_be_repeated_is_a_persons_also_when_there_is_time():
    assert isinstance(judge_unknown(LOST, terms(deadline_s=10, elapsed_s=0)), Unknown)


def test_a_wait_asks_at_the_same_pace_until_its_time_is_over():
    """A check with `check_s` has ever so many attempts, and its deadline is what ends it."""
    waits = [
        terms(writes=False, checks=True, expect=(LIT,), attempt=n, attempts=1_000_000, deadline_s=60, elapsed_s=5 * n)
        for n in range(1, 13)
    ]
    paced = [replace(each, backoff_s=5, max_backoff_s=5) for each in waits]

    verdicts = [judge_outcome(outcome(OutcomeKind.SUCCEEDED, output={"lit": False}), each) for each in paced]

    assert {each.longest_delay_s for each in paced} == {5}
    assert [isinstance(each, Retry) for each in verdicts] == [True] * 10 + [False] * 2
