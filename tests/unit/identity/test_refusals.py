"""Which refusals are written, and what becomes of the others."""

from datetime import UTC, datetime, timedelta

from tests.builders.refusing import Told, a_refusal_log

from carapulse.identity.refusals import Refusal
from carapulse.kernel.call import Actor, Call
from carapulse.kernel.errors import Unavailable

NOON = datetime(2026, 11, 27, 12, 0, tzinfo=UTC)


class Clock:
    at = NOON

    def now(self):
        return self.at


def a_refusal(by="ada", route="/v1/plans"):
    call = Call(actor=Actor(id=by), tenant="acme", at=NOON, trace="0" * 32)
    return Refusal(call=call, reason="role-required", permission="plan:create", method="POST", route=route)


def test_one_like_it_within_a_minute_is_left_out_and_counted():
    clock = Clock()
    log = a_refusal_log(clock=clock)

    assert [log.claim(a_refusal()) for _ in range(3)] == [0, None, None]
    assert log.claim(a_refusal(by="bob")) == 0
    assert log.claim(a_refusal(route="/v1/me")) == 0
    clock.at = NOON + timedelta(seconds=60)
    assert log.claim(a_refusal()) == 2
    assert log.claim(a_refusal()) is None


def test_what_could_not_be_written_is_counted_in_the_next_one():
    clock, told = Clock(), Told(problem=Unavailable("the database did not answer"))
    log = a_refusal_log(told, clock)
    log.write(a_refusal(), log.claim(a_refusal()) or 0)
    clock.at, told.problem = NOON + timedelta(minutes=1), None

    log.write(a_refusal(), log.claim(a_refusal()) or 0)

    assert [event.left_out for event in told.events] == [1]
    assert told.stream == "refusals_20261127"


def test_many_different_ones_take_no_more_room_than_they_may():
    log = a_refusal_log(clock=Clock())
    for number in range(5000):
        log.claim(a_refusal(by=f"actor_{number}"))

    assert log.claim(a_refusal(by="actor_4999")) is None
    assert log.claim(a_refusal(by="actor_0")) == 0
