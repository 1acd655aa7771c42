"""What may come on top of changes, counted: people who are told, systems that are asked, schedules, and clients that follow."""

from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from functools import partial
from itertools import count
from statistics import median
from time import perf_counter

import pytest
from anyio.from_thread import start_blocking_portal
from tests.builders.counting import Counter as Database
from tests.builders.counting import Counts
from tests.builders.held import HeldInstallation
from tests.builders.receiving import a_receiver
from tests.builders.tools import a_server
from tests.conftest import a_database, a_folder
from tests.integration.test_cost import COUNTS, FEW, MANY, Installation, counted, rounded
from tests.world.collecting import Dashboards, Desk, at_grafana
from tests.world.sockets import sockets
from tests.world.sqs import an_sqs

from carapulse.approvals.consumers import consumers as approvals
from carapulse.collection.consumers import consumers as collection
from carapulse.live.feed import Pace
from carapulse.notifications.consumers import consumers as notifications
from carapulse.plans.events import PlanCancelled, PlanClosed
from carapulse.runtime.minute import do_minute
from carapulse.schedules.consumers import consumers as schedules

WANTED = PlanClosed(plan_id="plan_1", reason="not today")
UNWANTED = PlanCancelled(plan_id="plan_1", reason="not today")
LOOK = {"stage": "diagnose", "tool": "http", "action": "probe", "input": {"url": "http://127.0.0.1:1/"}}
PLAN = {"summary": "Look at the shop", "context": {"environment": "dev"}, "steps": [LOOK]}


class Place(Desk):
    """A desk that can let its database go, and take it up again."""

    def close(self):
        self.app.close()


class OnTop(Installation):
    """What the minute and messages of no change ask for, each time in a minute of its own."""

    functions = {  # noqa: RUF012 - as its base has it
        "planning": schedules,
        "approvals": approvals,
        "notifications": notifications,
        "collection": collection,
    }

    def happen(self, event):
        with self.rig.app.begin(self.rig.call()) as work:
            work.record(event.plan_id, event)

    def a_minute(self):
        self.rig.clock.move(timedelta(minutes=1))
        do_minute(self.rig.app)
        self.deliver()


@pytest.fixture
def installed(postgres):
    with (
        a_folder() as folder,
        a_database(postgres) as database,
        an_sqs("cost-on-top") as queues,
        a_server(Dashboards()) as boards,
        a_receiver() as receiver,
        start_blocking_portal() as portal,
    ):
        chosen = {"queue": "sqs", "queue_addresses": queues.addresses, "channel_addresses": [receiver.address]}
        place = Place(database.app_url, folder / "data", [at_grafana(boards)], **chosen)
        yield OnTop(place, queues, portal), Database(postgres, database.name), receiver
        place.close()


class Measured:
    """Measures what each of some minutes, or of some things in a minute, asks for: what many ask for more than few."""

    def __init__(self, installation, database):
        self.installation, self.database = installation, database
        self.took: defaultdict[str, list[float]] = defaultdict(list)

    def each_minute(self, event=None):
        return self._each(lambda many: partial(self._minutes, many, event))

    def each_firing(self):
        return self._each(self._schedules)

    def _each(self, work_of):
        few, asked_few = self._counted(work_of(FEW))
        many, asked_many = self._counted(work_of(MANY))
        asked = {name: (asked_many[name] - asked_few[name]) / (MANY - FEW) for name in asked_many}
        return many.minus(few).for_each(MANY - FEW), asked

    def _counted(self, work):
        seen = counted(self.installation, self.database, work)
        for name, seconds in self.installation.seconds.items():
            self.took[name].append(seconds / self.installation.invoked[name])
        return seen

    def _minutes(self, many, event):
        for _ in range(many):
            if event is not None:
                self.installation.happen(event)
            self.installation.a_minute()

    def _schedules(self, many):
        """Make schedules that come due in the next minute, each for the first time."""
        for number in range(many):
            terms = {"name": f"often-{many}-{number}", "cron": "* * * * *", "timezone": "UTC", "plan": PLAN}
            assert self.installation.rig.ask("POST", "/v1/schedules", terms).status_code == 201
        return self.installation.a_minute


MORE = 4
NOTHING: tuple[Counts, dict[str, float]] = (Counts(0, 0, 0, 0, 0), {})


def more(this, than=NOTHING):
    """Return what one asked for more than another: invocations and messages, and of the database."""
    (counts, asked), (base, asked_there) = this, than
    differences = {name: each - asked_there.get(name, 0) for name, each in asked.items()}
    return {
        "asked": {name: each for name, each in differences.items() if each},
        "database": rounded(counts.minus(base)),
    }


def test_who_is_told_what_is_collected_and_what_a_schedule_asks_for_cost_what_the_page_counts(installed):
    installation, database, receiver = installed
    desk, measured = installation.rig, Measured(installation, database)

    installation.a_minute()
    idle, busy = measured.each_minute(), measured.each_minute(UNWANTED)
    channel = {"kind": "webhook", "url": receiver.url, "events": ["PlanClosed"]}
    assert desk.ask("PUT", "/v1/channels/people", channel, headers={"If-None-Match": "*"}).status_code == 201
    installation.a_minute()
    looked, told = measured.each_minute(UNWANTED), measured.each_minute(WANTED)
    assert len(receiver.got) == FEW + MANY
    assert desk.ask("DELETE", "/v1/channels/people", headers={"If-Match": "*"}).status_code == 204
    desk.put("boards", {"system": "grafana", "context": {"environment": "dev"}})
    installation.a_minute()
    collected = measured.each_minute()
    assert desk.status("boards")["state"] == "ok"
    assert desk.ask("DELETE", "/v1/collectors/boards", headers={"if-match": "*"}).status_code == 204
    installation.a_minute()
    fired = measured.each_firing()
    seen = {
        "looked": more(looked, busy),
        "told": more(told, looked),
        "collected": more(collected, idle),
        "fired": more(fired),
    }
    print(seen, {name: round(median(each), 3) for name, each in measured.took.items()})  # noqa: T201 - for whoever renews the page

    for name, each in seen.items():
        assert each["asked"] == COUNTS[name]["asked"], name
        assert each["database"] == pytest.approx(COUNTS[name]["database"], rel=0.2), name


@pytest.fixture
def held(postgres, tmp_path):
    with a_database(postgres) as database, sockets() as world:
        made = HeldInstallation(database.app_url, tmp_path, world)
        yield made, Database(postgres, database.name)
        made.close()


class Followers:
    """Clients that follow, of one tenant, and whoever tells them."""

    def __init__(self, installation, counter):
        self.installation, self._counter = installation, counter
        self._pusher, self._names = installation.another(), count(1)
        self.threads = ThreadPoolExecutor(4)
        self.took: defaultdict[str, list[float]] = defaultdict(list)

    def each(self, work):
        """Return what each time of some work asks of the database."""
        few, many = (self._counted(partial(self._repeated, work, times)) for times in (FEW, MANY))
        return many.minus(few).for_each(MANY - FEW)

    def look(self):
        self._pusher.look_once(self.threads)

    def find_nobody(self):
        with self._invocation("pusher"):
            self._pusher.run(1)

    def come(self):
        name = f"client-{next(self._names)}"
        with self._invocation("live"):
            assert self.installation.come(name)["statusCode"] == 200
        return name

    def come_and_leave(self):
        left = self.come()
        with self._invocation("live"):
            assert self.installation.tell("disconnect", left)["statusCode"] == 200

    @contextmanager
    def _invocation(self, function):
        began = perf_counter()
        yield
        self.took[function].append(perf_counter() - began)

    def happen(self):
        self.installation.happen()

    def tell(self):
        """Let something happen, and clients be told of it."""
        self.happen()
        self.look()

    def said(self):
        """Return how many messages each client got."""
        return {name: len(self.installation.world.said[name]) for name in self.installation.there()}

    def _repeated(self, work, times):
        for _ in range(times):
            work()

    def _counted(self, work):
        self.installation.close()

        def all_of_it():
            work()
            self.installation.close()

        return self._counter.counted(all_of_it)


@pytest.fixture
def followers(held):
    one = Followers(*held)
    yield one
    one.threads.shutdown()


def test_clients_that_follow_cost_what_the_page_counts_and_silence_costs_the_same_for_many(followers):
    followers.find_nobody()
    nobody = followers.each(followers.find_nobody)
    written = followers.each(followers.happen)
    followers.come()
    followers.look()
    silent, told = followers.each(followers.look), followers.each(followers.tell)
    came = followers.each(followers.come_and_leave)
    for _ in range(MORE):
        followers.come()
    followers.look()
    crowded, told_many = followers.each(followers.look), followers.each(followers.tell)
    seen = {
        "nobody": rounded(nobody),
        "came": rounded(came),
        "silent": rounded(silent),
        "told": rounded(told.minus(silent).minus(written)),
        "told_each_more": rounded(told_many.minus(told).for_each(MORE)),
    }
    print(seen, {name: round(median(each), 3) for name, each in followers.took.items()})  # noqa: T201 - for whoever renews the page

    assert len(followers.installation.there()) == 1 + MORE
    assert rounded(crowded) == rounded(silent)
    assert seen == COUNTS["followed"]["database"]


def test_a_client_gets_one_message_for_each_event_and_for_each_silence_and_has_to_come_back(followers):
    followers.come()
    followers.look()
    opened = followers.said()
    followers.tell()
    told = followers.said()
    followers.installation.clock.later(timedelta(seconds=Pace().heartbeat))
    followers.look()
    silent = followers.said()

    assert list(opened.values()) == [1]
    assert list(told.values()) == [1 + COUNTS["followed"]["messages"]["event"]]
    assert list(silent.values()) == [1 + 1 + 1]
    assert COUNTS["followed"]["messages"]["minute_of_silence"] == 60 / Pace().heartbeat
    assert COUNTS["followed"]["longest_stay_hours"] == Pace().longest / 3600
