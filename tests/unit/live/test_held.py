"""A client whose socket a gateway holds: what it may say, and when it is over."""

from datetime import UTC, datetime, timedelta

import pytest

from carapulse.identity.model import Principal, Proof
from carapulse.kernel.call import Actor
from carapulse.live.feed import OVERFLOW, TIME_IS_UP, TOKEN_EXPIRED, Ending, Pace
from carapulse.live.held import MOST_HEARD, Held
from carapulse.live.model import Ask

AT = datetime(2026, 3, 1, 12, tzinfo=UTC)
PING = '{"type":"ping"}'


def a_client(ask=None, hours=3.0):
    actor = Actor(id="ada", roles=frozenset({"viewer"}))
    until = AT.timestamp() + 3600 * hours
    principal = Principal(actor=actor, tenant="acme", expires_at=until, proof=Proof(kind="token"))
    return Held.begun("one", ask or Ask(), principal, AT)


def said(held, *messages, at=AT):
    for message in messages:
        held = held.hearing(message, held.call(at, "0" * 32))
    return held


def test_what_it_follows_is_said_anew_and_where_it_is_stays():
    begun = a_client(Ask(subject="plan_1", after=7))
    early = said(begun, '{"type":"subscribe","subject":"plan_2"}')
    told = begun.model_copy(update={"opened": 1, "told": 9})
    late = said(told, '{"type":"subscribe"}')
    back = said(told, '{"type":"subscribe","after":"3"}')

    assert (early.ask.subject, early.turn, early.since) == ("plan_2", 2, 7)
    assert (late.ask.subject, late.since, late.told) == (None, None, 9)
    assert back.since == 3


def test_it_may_say_so_much_in_a_minute_and_as_much_in_the_next():
    full = said(a_client(), *[PING] * MOST_HEARD)

    assert full.ending is None
    assert said(full, PING).ending.code == "too-many-messages"
    assert said(full, PING, at=AT + timedelta(minutes=1)).ending is None


def test_nothing_is_heard_after_the_end():
    ended = said(a_client(), "nonsense")

    assert said(ended, PING) == ended
    assert ended.over(AT, Pace()) == Ending("message-refused", ended.ending.detail)


@pytest.mark.parametrize(
    ("held", "after_s", "ending"),
    [
        (a_client(), 3599, None),
        (a_client(), 3600, TIME_IS_UP),
        (a_client(hours=0.5), 1800, TOKEN_EXPIRED),
        (a_client().model_copy(update={"refused_at": AT}), 19, None),
        (a_client().model_copy(update={"refused_at": AT}), 20, OVERFLOW),
    ],
)
def test_it_is_over_when_its_time_its_proof_or_our_patience_is(held, after_s, ending):
    assert held.over(AT + timedelta(seconds=after_s), Pace()) == ending
