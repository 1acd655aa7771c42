"""Limits that all processes share: each process is `Rates` of its own, the count is one row in Postgres."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from datetime import timedelta

import pytest
from tests.builders.application import MovableClock

from carapulse.adapters.postgres.direct import Direct
from carapulse.adapters.postgres.rates import PostgresRates
from carapulse.kernel.errors import Unavailable
from carapulse.rates.model import Quota, RateClass, Spender
from carapulse.rates.spending import Rates

MINUTE = timedelta(seconds=60)


class Counted:
    """Counts how often the database is asked."""

    def __init__(self, lender):
        self.lender, self.claims = lender, 0

    def take(self, claims):
        self.claims += 1
        return self.lender.take(claims)


@pytest.fixture
def clock():
    return MovableClock()


@pytest.fixture
def process(database, clock):
    """Return what starts a process with some limits for reading."""
    with ExitStack() as open_ones:

        def start(each: int, tenant: int | None = None) -> Rates:
            direct = open_ones.enter_context(closing(Direct(database.app_url)))
            counted = Counted(PostgresRates(direct, clock.now))
            quotas = {RateClass.READ: Quota(each, tenant), RateClass.WEBHOOK: Quota(each)}
            return Rates(counted, quotas, lambda: clock.at.timestamp())  # noqa: PLW0108 - the moment changes

        yield start


def ada(tenant="acme", name="ada"):
    return Spender(RateClass.READ, name, tenant)


def asked(rates, spender):
    return rates.spend(spender) or rates.borrow(spender)


def let_through(rates, times, spender: Callable[[], Spender] = ada):
    return sum(asked(rates, spender()).refused_by is None for _ in range(times))


def rows(database, query):
    with database.as_superuser() as connection:
        return connection.run(query)


def test_two_processes_let_through_exactly_one_limit(process):
    one, other = process(50), process(50)

    through = [let_through(rates, 1) for _ in range(60) for rates in (one, other)]

    assert sum(through) == 50


def test_a_burst_from_many_threads_lets_through_no_more_than_the_limit(process):
    both = [process(200), process(200)]

    with ThreadPoolExecutor(8) as pool:
        through = list(pool.map(lambda number: let_through(both[number % 2], 50), range(8)))

    assert sum(through) == 200


def test_a_request_usually_asks_nobody(process):
    rates = process(600, 3000)

    assert let_through(rates, 500) == 500
    assert rates.lender.claims <= 14


def test_who_is_refused_asks_nobody_and_is_told_when_to_come_back(process, clock):
    rates = process(3)
    let_through(rates, 3)
    clock.move(timedelta(seconds=20))
    claims = rates.lender.claims

    standing = asked(rates, ada())

    assert (standing.refused_by.policy, standing.refused_by.left, standing.refused_by.reset_s) == ("read", 0, 40)
    assert rates.lender.claims == claims


def test_the_next_minute_begins_anew(process, clock):
    rates = process(3)
    let_through(rates, 5)

    clock.move(MINUTE)

    assert let_through(rates, 5) == 3


def test_what_was_borrowed_in_one_minute_is_worth_nothing_in_the_next(process, clock):
    saving, busy = process(1000), process(1000)
    let_through(saving, 1)
    clock.move(MINUTE)

    assert let_through(busy, 1001) == 1000
    assert let_through(saving, 1) == 0


def test_a_clock_that_was_set_back_gives_no_minute_twice(process, clock):
    rates = process(3)
    let_through(rates, 3)
    clock.move(-MINUTE)

    assert let_through(process(3), 3) == 0


def test_actors_share_the_limit_of_their_tenant_and_other_tenants_do_not(process):
    rates = process(10, 15)

    assert let_through(rates, 12) == 10
    assert let_through(rates, 12, lambda: ada(name="bob")) == 5
    assert let_through(rates, 12, lambda: ada(tenant="initech")) == 10


def test_whoever_is_refused_takes_nothing_from_the_tenant(process):
    rates = process(10, 15)
    let_through(rates, 1000)

    assert let_through(rates, 5, lambda: ada(name="bob")) == 5


def test_a_source_that_nobody_registered_is_counted_for_nobody(process, database):
    standing = asked(process(1), Spender(RateClass.WEBHOOK, "src_0"))

    assert standing.shares == ()
    assert rows(database, "SELECT * FROM rates") == []


def test_a_source_is_counted_for_its_tenant(process, database):
    registered = "INSERT INTO sources VALUES ('acme', 'src_1', 'x', '{\"trust\": \"signed\"}', 1, now(), now(), NULL)"
    rows(database, registered)
    rates = process(2)

    through = let_through(rates, 3, lambda: Spender(RateClass.WEBHOOK, "src_1"))

    assert through == 2
    assert rows(database, "SELECT tenant, class, kind, name, taken FROM rates") == [
        ["acme", "webhook", "source", "src_1", 2]
    ]


def test_nobody_is_let_through_while_nobody_can_count(clock):
    rates = Rates(PostgresRates(Direct("postgresql://nobody@127.0.0.1:9/nothing")), {RateClass.READ: Quota(5)})

    for _ in range(3):
        with pytest.raises(Unavailable):
            asked(rates, ada())


def test_counts_of_those_who_ask_no_more_go(process, database, clock):
    let_through(process(5), 1)
    rows(database, "INSERT INTO rates SELECT 'acme', 'read', 'actor', 'now', extract(epoch FROM now()) / 60, 1, 1")

    ((gone,),) = rows(database, "SELECT drop_idle_rates()")

    assert (gone, rows(database, "SELECT name FROM rates")) == (1, [["now"]])
