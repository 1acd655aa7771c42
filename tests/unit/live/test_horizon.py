"""Up to where the log is complete, however positions and transactions interleave."""

from hypothesis import given
from hypothesis import strategies as st

from carapulse.live.horizon import Horizon


def test_nothing_is_settled_before_the_transactions_that_may_write_below_have_ended():
    horizon = Horizon()

    horizon.mark(7, transaction=12)
    horizon.settle(oldest=11)
    before = horizon.settled
    horizon.settle(oldest=12)

    assert (before, horizon.settled) == (None, 7)


def test_no_number_of_a_transaction_is_spent_while_nothing_happens():
    horizon = Horizon()
    first = horizon.needs_mark(0)
    horizon.mark(0, transaction=5)
    horizon.settle(oldest=5)

    assert (first, horizon.needs_mark(0), horizon.needs_mark(1)) == (True, False, True)


def test_what_waits_for_a_long_transaction_is_bounded():
    horizon = Horizon()

    for number in range(1, 65):
        horizon.mark(number, transaction=100 + number)

    assert not horizon.needs_mark(65)


@given(st.lists(st.sampled_from(["begin", "write", "end", "look"]), max_size=60), st.randoms())
def test_no_event_ever_appears_below_what_was_called_settled(moves, random):
    horizon, newest, given_out = Horizon(), 0, 1
    running: dict[int, list[int]] = {}
    for move in moves:
        if move == "begin":
            running[given_out] = []
            given_out += 1
        elif move == "write" and running:
            newest += 1
            running[random.choice(sorted(running))].append(newest)
        elif move == "end" and running:
            positions = running.pop(random.choice(sorted(running)))
            assert horizon.settled is None or all(position > horizon.settled for position in positions)
        elif move == "look":
            if horizon.needs_mark(newest):
                horizon.mark(newest, given_out)
                given_out += 1
            horizon.settle(min(running, default=given_out))
