"""When a collector is due, how old what it said is, and which labels a service looks for."""

from datetime import UTC, datetime, timedelta

import pytest

from carapulse.collection.drawing import selects
from carapulse.collection.model import Collector, CollectorTerms, Failure, Lease, Progress, is_stale
from carapulse.kernel.call import Actor, Call
from carapulse.kernel.context import Context

NOON = datetime(2026, 1, 15, 12, 0, tzinfo=UTC)
CALL = Call(actor=Actor(id="ada"), tenant="acme", at=NOON, trace="0" * 32)
MINUTE = timedelta(minutes=1)


def a_collector(every_s=300):
    return Collector.of(
        "boards", CollectorTerms(system="grafana", context=Context(environment="dev"), every_s=every_s), CALL
    )


@pytest.mark.parametrize(
    ("late", "next_at"),
    [
        (timedelta(0), NOON + 5 * MINUTE),
        (timedelta(seconds=50), NOON + 5 * MINUTE),
        (5 * MINUTE, NOON + 10 * MINUTE),
        (timedelta(days=1, seconds=1), NOON + timedelta(days=1, minutes=5)),
        (-MINUTE, NOON + 5 * MINUTE),
    ],
)
def test_it_is_due_at_even_times_however_late_the_clock_comes(late, next_at):
    assert a_collector().due_after(NOON, NOON + late) == next_at


@pytest.mark.parametrize(
    ("progress", "age", "stale"),
    [
        (Progress(), 15 * MINUTE, False),
        (Progress(), 16 * MINUTE, True),
        (Progress(succeeded_at=NOON + 10 * MINUTE), 25 * MINUTE, False),
        (Progress(succeeded_at=NOON + 10 * MINUTE), 26 * MINUTE, True),
    ],
)
def test_it_is_stale_after_three_times_without_success(progress, age, stale):
    assert is_stale(a_collector(), progress, NOON + age) is stale


def test_only_the_run_that_was_asked_for_last_is_awaited_until_it_is_over():
    progress = Progress().asked("run_1").asked("run_2")
    assert [progress.awaits(each) for each in ("run_1", "run_2")] == [False, True]

    taken = progress.taken(Lease(id="lease_1", until=NOON + MINUTE), NOON)
    assert (taken.is_taken(NOON), taken.is_taken(NOON + MINUTE)) == (True, False)

    over = taken.succeeded("run_2", NOON, nodes=1, edges=0, snapshot_id=None)
    assert (over.awaits("run_2"), over.lease) == (False, None)


def test_a_run_that_was_asked_for_meanwhile_is_awaited_after_the_other_has_ended():
    taken = Progress().asked("run_1").taken(Lease(id="lease_1", until=NOON + MINUTE), NOON)

    over = taken.asked("run_2").failed("run_1", NOON, Failure(code="x", detail="x"))

    assert over.awaits("run_2")


def test_it_fails_since_the_first_time_whatever_the_reason():
    once = Progress().failed("run_1", NOON, Failure(code="x", detail="x"))
    twice = once.failed("run_2", NOON + MINUTE, Failure(code="y", detail="y"))

    assert (twice.failed_at, twice.failing_since) == (NOON + MINUTE, NOON)
    assert twice.succeeded("run_3", NOON, nodes=0, edges=0, snapshot_id=None).failing_since is None


@pytest.mark.parametrize(
    ("selector", "labels", "found"),
    [
        ({"app": "web"}, {"app": "web", "tier": "x"}, True),
        ({"app": "web", "tier": "x"}, {"app": "web"}, False),
        ({"app": "web"}, {"app": "Web"}, False),
        ({}, {"app": "web"}, False),
        (None, {"app": "web"}, False),
        ({"app": "web"}, None, False),
        ({"matchLabels": {"app": "web"}}, {"app": "web"}, False),
    ],
)
def test_a_selector_finds_what_has_all_its_labels(selector, labels, found):
    assert selects(selector, labels) is found
