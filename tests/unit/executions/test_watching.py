"""A worker's lease, as its own process sees it, and the lines of its tool."""

import threading
import time
from datetime import UTC, datetime

from tests.builders.plans import a_call

from carapulse.executions.watching import Watched


class Noon:
    def now(self) -> datetime:
        return datetime(2026, 11, 21, 12, tzinfo=UTC)


def a_lease(seconds: float = 10.0) -> Watched:
    return Watched("exec_1", "lease_1", a_call(), Noon(), seconds, time.monotonic())


def test_a_lease_that_is_not_written_yet_can_not_lapse():
    watched = a_lease(0.0)

    watched.begin("s1", "run")

    assert not watched.cancelled.is_set()


def test_an_attempt_that_begins_on_a_lapsed_lease_is_cancelled_before_its_effect():
    watched = a_lease()
    watched.hold(time.monotonic() - 11, is_new=True)

    watched.begin("s1", "run")

    assert watched.cancelled.is_set()


def test_a_write_that_was_held_for_long_renews_the_lease_for_the_step_after_it():
    watched = a_lease()
    watched.hold(time.monotonic() - 30, is_new=True)
    watched.lost = True

    watched.hold(time.monotonic(), is_new=False)
    watched.begin("s2", "run")

    assert not watched.cancelled.is_set()


def test_of_a_lease_that_may_not_have_been_renewed_no_more_than_half_is_believed():
    watched = a_lease()
    watched.hold(time.monotonic() - 12, is_new=True)

    watched.hold(time.monotonic() - 6, is_new=False)

    assert watched.has_lapsed


def test_lines_of_a_look_before_the_first_attempt_are_kept_with_it():
    watched = a_lease()
    watched.begin("s1", "run")
    watched.on_line("this is how it was")

    watched.begin("s1", "run")
    watched.on_line("this is how it is")

    assert [each.line for each in watched.end()] == ["this is how it was", "this is how it is"]


def test_an_attempt_does_not_end_while_its_lines_are_being_stored():
    watched, ended = a_lease(), threading.Event()
    watched.begin("s1", "run")
    watched.on_line("early")

    def end() -> None:
        watched.end()
        ended.set()

    with watched.storing:
        taken = watched.pending_lines()
        thread = threading.Thread(target=end)
        thread.start()
        waited = not ended.wait(0.1)
    thread.join(5)

    assert [line.line for line in taken] == ["early"]
    assert waited
    assert ended.is_set()
