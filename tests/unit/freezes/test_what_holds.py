"""Which freezes hold in a place at a moment, and when its windows are open: by the clocks of the window's own zone."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from carapulse.freezes.errors import FreezeInvalid, FreezeOver
from carapulse.freezes.model import Freeze, FreezeTerms
from carapulse.freezes.rules import RecentRules, Rules
from carapulse.freezes.windows import Window, WindowTerms
from carapulse.kernel.call import Actor, Call
from carapulse.kernel.context import Context

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)  # a Saturday
HOUR = timedelta(hours=1)
SHOP = Context(environment="prod", service="shop")


def call(at=NOON):
    return Call(actor=Actor(id="ada"), tenant="acme", at=at, trace="0" * 32)


def a_freeze(**terms: Any) -> Freeze:
    known = {"name": "sale", "environments": ["prod"], "reason": "many people shop", **terms}
    return Freeze.of(FreezeTerms.model_validate(known), call())


def a_window(*weekly: dict[str, Any], **terms: Any) -> Window:
    known = {"name": "nights", "environments": ["prod"], "weekly": weekly, **terms}
    return Window.of(WindowTerms.model_validate(known), call())


def hours(days, start, end):
    return {"days": days.split(), "start": start, "end": end}


def frozen(freeze, at=NOON, place=SHOP):
    return [each.name for each in Rules(freezes=(freeze,)).standing(place, at).freezes]


def closed(*windows, at=NOON, place=SHOP):
    return Rules(windows=windows).standing(place, at).closed_window


def test_a_freeze_holds_from_its_start_until_its_end():
    freeze = a_freeze(starts_at=NOON + HOUR, until=NOON + 2 * HOUR)

    held = [bool(frozen(freeze, NOON + HOUR / 2 * number)) for number in range(6)]

    assert held == [False, False, True, True, False, False]


def test_a_freeze_without_start_and_end_holds_from_now_until_it_is_lifted():
    freeze = a_freeze()

    assert frozen(freeze, NOON + 9999 * HOUR) == ["sale"]
    assert frozen(freeze, NOON - HOUR) == []
    assert frozen(freeze.lifted("it is over", call())) == []


@pytest.mark.parametrize(
    ("terms", "place", "held"),
    [
        ({}, {"environment": "dev"}, False),
        ({"environments": ["*"]}, {"environment": "dev"}, True),
        ({"services": ["shop"]}, {"environment": "prod", "service": "shop"}, True),
        ({"services": ["shop"]}, {"environment": "prod", "service": "bank"}, False),
        ({"services": ["shop"]}, {"environment": "prod"}, True),
    ],
)
def test_a_change_that_names_no_service_may_be_to_any(terms, place, held):
    assert bool(frozen(a_freeze(**terms), place=Context(**place))) is held


@pytest.mark.parametrize("terms", [{"until": NOON}, {"starts_at": NOON + HOUR, "until": NOON + HOUR}])
def test_a_freeze_that_would_never_hold_is_refused(terms):
    with pytest.raises(FreezeInvalid) as caught:
        a_freeze(**terms)

    assert [each.pointer for each in caught.value.faults] == ["/until"]


def test_what_is_over_is_not_changed():
    with pytest.raises(FreezeOver):
        a_freeze().lifted("it is over", call()).changed(a_freeze().terms, call())
    with pytest.raises(FreezeOver):
        a_freeze(until=NOON + HOUR).changed(a_freeze().terms, call(NOON + HOUR))


def test_an_environment_without_windows_is_never_closed():
    assert not closed()
    assert not closed(a_window(hours("mon", "00:00", "24:00"), environments=["dev"]))
    assert not closed(a_window(hours("mon", "00:00", "24:00")).lifted("no more", call()))


def test_an_environment_with_windows_is_closed_outside_of_all_of_them():
    saturdays = a_window(hours("sat", "12:00", "13:00"))
    sundays = a_window(hours("sun", "00:00", "24:00"), environments=["*"])

    assert not closed(sundays, saturdays, at=NOON + HOUR / 2)
    assert closed(sundays, saturdays, at=NOON + HOUR)
    assert closed(sundays, at=NOON)
    assert not closed(sundays, at=NOON + 12 * HOUR)


def test_hours_over_midnight_belong_to_the_day_on_which_they_begin():
    nights = a_window(hours("sat", "22:00", "04:00"))

    held = [hour for hour in range(48) if not closed(nights, at=datetime(2026, 11, 21, tzinfo=UTC) + hour * HOUR)]

    assert held == [22, 23, 24, 25, 26, 27]


def test_hours_go_by_the_clocks_of_the_place_also_when_they_are_changed():
    nights = a_window(hours("sun", "02:30", "03:30"), timezone="Europe/Berlin")
    spring, autumn = datetime(2026, 3, 29, tzinfo=UTC), datetime(2026, 10, 25, tzinfo=UTC)

    def minutes(night):
        return sum(not closed(nights, at=night + timedelta(minutes=each)) for each in range(240))

    assert minutes(spring) == 30  # 02:30 isn't there
    assert minutes(autumn) == 90  # the half hour from 02:30 is there twice


@pytest.mark.parametrize(
    "weekly",
    [
        [],
        [hours("mon", "10:00", "10:00")],
        [hours("mon", "24:00", "10:00")],
        [hours("someday", "10:00", "11:00")],
        [hours("", "10:00", "11:00")],
    ],
)
def test_hours_that_make_no_sense_are_refused(weekly):
    with pytest.raises(ValidationError):
        a_window(*weekly)


class Counting:
    """A calendar that counts how often it is asked."""

    asked = 0

    def rules(self, tenant, at):
        assert at.microsecond == 0
        self.asked += 1
        return Rules(freezes=(a_freeze(name=f"{tenant}-{self.asked}"),))


def test_what_was_declared_is_asked_for_every_two_seconds_at_most_for_each_tenant():
    calendar, kept = Counting(), RecentRules()

    told = [
        kept.of(tenant, NOON + timedelta(seconds=second), calendar).freezes[0].name
        for tenant, second in [("acme", 0), ("acme", 1), ("globex", 1), ("acme", 2), ("globex", 2), ("acme", 0)]
    ]

    assert told == ["acme-1", "acme-1", "globex-2", "acme-3", "globex-2", "acme-4"]
