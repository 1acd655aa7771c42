"""A process dies while it carries out a request with a key. The request is carried out again only if it did nothing."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from tests.builders.keys import a_key

from carapulse.kernel.errors import Unavailable


class Died(BaseException):
    """The process has ended; no handler of it goes on."""


class DiesWhenAsked:
    """A policy, or a sealer, at whose use the process dies."""

    digest = "sha256:0"

    def decide(self, _document):
        raise Died

    def seal(self, *_):
        raise Died


class Waits:
    """A policy that says that it is asked, and answers when it may."""

    def __init__(self, policy):
        self.policy, self.digest = policy, policy.digest
        self.asked, self.may_answer = threading.Event(), threading.Event()

    def decide(self, document):
        self.asked.set()
        assert self.may_answer.wait(20)
        return self.policy.decide(document)


def code(answer):
    return (answer.status_code, answer.json()["code"])


def died(site, key, summary, **parts):
    """Let a process die that has other parts."""
    with pytest.raises(BaseException) as gone:  # noqa: PT011 - anyio may wrap it in a group
        site.but(**parts).plan(key, summary=summary)
    assert gone.group_contains(Died) if isinstance(gone.value, BaseExceptionGroup) else gone.errisinstance(Died)


def test_a_request_that_died_before_it_wrote_is_carried_out_when_its_lease_is_over(site):
    key, summary = a_key(), "Died before"
    died(site, key, summary, policy=DiesWhenAsked())

    at_once = site.plan(key, summary=summary)
    site.let_pass(key, "61 seconds")
    later = site.plan(key, summary=summary)

    assert code(at_once) == (409, "idempotency-key-in-use")
    assert at_once.headers["retry-after"]
    assert later.status_code == 201
    assert "idempotent-replayed" not in later.headers
    assert site.plans_named(summary) == 1


def test_a_request_that_died_after_it_wrote_is_never_carried_out_again(site):
    key, summary = a_key(), "Died after"
    died(site, key, summary, sealer=DiesWhenAsked())
    kept = site.row(key)

    at_once = site.plan(key, summary=summary)
    site.let_pass(key, "61 seconds")
    later = site.plan(key, summary=summary)

    assert kept["state"] == "written"
    assert code(at_once) == (409, "idempotency-key-in-use")
    assert code(later) == (409, "idempotency-answer-lost")
    assert later.json()["first_trace_id"] == kept["trace"]
    assert site.plans_named(summary) == 1


def test_whoever_took_too_long_writes_nothing_once_another_has_taken_over(site):
    key, summary, slow = a_key(), "Too slow", Waits(site.app.policy)
    with ThreadPoolExecutor(1) as threads:
        first = threads.submit(site.but(policy=slow).plan, key, summary=summary)
        assert slow.asked.wait(20)
        site.let_pass(key, "61 seconds")
        second = site.plan(key, summary=summary)
        slow.may_answer.set()
        late = first.result()

    again = site.plan(key, summary=summary)

    assert code(late) == (409, "idempotency-attempt-taken-over")
    assert second.status_code == 201
    assert again.content == second.content
    assert site.plans_named(summary) == 1


def test_a_request_that_is_slow_but_not_dead_is_in_use(site):
    key, summary, slow = a_key(), "Slow", Waits(site.app.policy)
    with ThreadPoolExecutor(1) as threads:
        first = threads.submit(site.but(policy=slow).plan, key, summary=summary)
        assert slow.asked.wait(20)
        meanwhile = site.plan(key, summary=summary)
        slow.may_answer.set()

    assert code(meanwhile) == (409, "idempotency-key-in-use")
    assert first.result().status_code == 201


def test_a_defect_of_ours_frees_the_key_if_nothing_was_written(site):
    class Breaks:
        digest = "sha256:0"

        def decide(self, _document):
            raise RuntimeError

    key, summary = a_key(), "A defect"

    broken = site.but(policy=Breaks()).plan(key, summary=summary)
    healed = site.plan(key, summary=summary)

    assert (broken.status_code, healed.status_code) == (500, 201)


def test_a_caller_gets_the_answer_even_if_it_could_not_be_kept(site):
    class Unable:
        def seal(self, *_):
            raise Unavailable("the key is not there")

    key, summary = a_key(), "Not kept"

    answered = site.but(sealer=Unable()).plan(key, summary=summary)
    site.let_pass(key, "61 seconds")

    assert answered.status_code == 201
    assert code(site.plan(key, summary=summary)) == (409, "idempotency-answer-lost")
