"""When a cron expression comes due, above all on the two nights when the clocks of Berlin are changed."""

from datetime import UTC, datetime

import pytest
from pydantic import TypeAdapter, ValidationError

from carapulse.schedules.cron import Cron, runs_after

SPRING = datetime(2026, 3, 28, 12, tzinfo=UTC)  # 02:00 becomes 03:00 in the night to the 29th
AUTUMN = datetime(2026, 10, 24, 12, tzinfo=UTC)  # 03:00 becomes 02:00 in the night to the 25th


def due(cron, at, count=3, zone="Europe/Berlin"):
    return [each.isoformat() for each in runs_after(cron, zone, at, count)]


def test_a_time_that_spring_skips_comes_due_once_right_after_the_gap():
    assert due("0,30 2 * * *", SPRING, 3) == [
        "2026-03-29T03:00:00+02:00",
        "2026-03-30T02:00:00+02:00",
        "2026-03-30T02:30:00+02:00",
    ]


def test_a_time_that_autumn_shows_twice_comes_due_the_first_time_only():
    assert due("30 2 * * *", AUTUMN) == [
        "2026-10-25T02:30:00+02:00",
        "2026-10-26T02:30:00+01:00",
        "2026-10-27T02:30:00+01:00",
    ]


@pytest.mark.parametrize("minute", [20, 40])
def test_in_the_second_showing_the_first_is_over(minute):
    second_showing = datetime(2026, 10, 25, 1, minute, tzinfo=UTC)  # 02:20 and 02:40, winter time

    assert due("30 2 * * *", second_showing, 1) == ["2026-10-26T02:30:00+01:00"]


def test_every_half_hour_goes_by_the_time_that_passes():
    assert due("*/30 * * * *", datetime(2026, 10, 25, 0, 15, tzinfo=UTC), 4) == [
        "2026-10-25T02:30:00+02:00",
        "2026-10-25T02:00:00+01:00",
        "2026-10-25T02:30:00+01:00",
        "2026-10-25T03:00:00+01:00",
    ]


def test_an_alias_is_what_it_stands_for():
    assert due("@daily", SPRING) == due("0 0 * * *", SPRING)


def test_utc_has_no_such_nights():
    assert due("30 2 * * *", SPRING, 1, "UTC") == ["2026-03-29T02:30:00+00:00"]


@pytest.mark.parametrize(
    "cron",
    ["0 0 30 2 *", "0 0 31 4,6 *", "* * * *", "0 * * * * *", "61 * * * *", "@reboot", "@sometimes", "a b c d e", ""],
)
def test_what_is_no_expression_or_never_comes_due_is_refused(cron):
    with pytest.raises(ValidationError):
        TypeAdapter(Cron).validate_python(cron)


@pytest.mark.parametrize("cron", ["0 0 29 2 *", "0 0 * 2 MON#5", "0 0 L * *", "0 22 * * 1-5", "@hourly"])
def test_what_comes_due_some_day_is_taken(cron):
    assert TypeAdapter(Cron).validate_python(cron) == cron
    assert due(cron, SPRING, 5)
