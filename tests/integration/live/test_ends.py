"""How streams end, and how many there may be."""

import asyncio
import threading
import time
from datetime import timedelta
from typing import Any

from sqlalchemy import text
from tests.builders.following import QUICK, Installation, PlanClosed, Site, serving, subjects

from carapulse.adapters.postgres.tail import PostgresTail
from carapulse.kernel.call import Actor, Call
from carapulse.live.feed import Pace
from carapulse.live.hub import Hub, Room
from carapulse.live.model import Ask, Frame, Over, Seat, Wish


def test_a_stream_ends_with_the_token_that_opened_it(site):
    began = time.monotonic()

    with site.following(lifetime=timedelta(seconds=1)) as follower:
        last = follower.next()

    assert (last["event"], last["code"]) == ("token-expired", "token-expired")
    assert time.monotonic() - began < 3


def test_streams_end_quickly_when_the_program_stops(installation):
    with serving(installation) as port:
        site = Site(installation, port)
        with site.following() as follower, site.talking() as talker:
            began = time.monotonic()
            installation.stopping.set()
            last = follower.next()
            said, close = talker.until_closed()
            took = time.monotonic() - began
        refused = site.ask("GET", "/v1/events")
        site.http.close()

    assert (last["event"], said["code"], close, refused.status_code) == ("stopping", "stopping", 1001, 503)
    assert took < 1


def test_a_process_serves_so_many_clients_and_of_one_tenant_fewer(database, tmp_path):
    small = Installation(database.app_url, tmp_path, room=Room(clients=3, clients_of_tenant=2))
    with serving(small) as port:
        site = Site(small, port)
        with site.following(), site.talking():
            of_tenant = site.ask("GET", "/v1/events")
            with site.following(tenant="globex"):
                of_all = site.ask("GET", "/v1/events", tenant="initech")
        with site.following():
            pass
        site.http.close()
    small.close()

    assert [(each.status_code, each.headers["retry-after"]) for each in (of_tenant, of_all)] == [(429, "5"), (503, "5")]


class Watched(PostgresTail):
    """A tail that knows how often it was looked at."""

    looks = 0

    def settled(self):
        self.looks += 1
        return super().settled()


def test_the_log_is_read_only_while_there_are_clients(installation):
    tail = Watched(installation.engine, installation.direct)
    installation.live = Hub(tail, installation.stopping, pace=QUICK)
    with serving(installation) as port:
        site = Site(installation, port)
        with site.following() as follower:
            follower.wait_for_sign()
        time.sleep(0.1)
        looks = tail.looks
        time.sleep(0.2)
        later = tail.looks
        with site.following() as follower:
            installation.happen(stream="plan_1")
            seen = follower.take(1)
        site.http.close()

    assert looks == later > 0
    assert subjects(seen) == ["plan_1"]


def test_a_client_goes_on_after_the_database_was_away(site, database):
    with site.following() as follower:
        follower.wait_for_sign()
        with database.as_superuser() as someone:
            someone.run("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'carapulse_app'")
        site.app.happen(stream="plan_1")

        assert subjects(follower.take(1)) == ["plan_1"]


def test_whoever_was_at_a_place_that_left_the_log_is_told(site, database):
    site.app.happen(PlanClosed, PlanClosed, PlanClosed)
    archive = "INSERT INTO event_archives SELECT 'acme', 1, 2, 2, 'sha256:x', 'sha256:x', now() FROM events HAVING count(*) = 3"
    with database.as_superuser() as someone:
        someone.run(archive)
        someone.run("DELETE FROM events WHERE position <= 2")

    gone, theirs = site.ask("GET", "/v1/events?after=0"), site.ask("GET", "/v1/events", {"Last-Event-ID": "1"})
    with site.following("?after=2") as follower, site.following("?after=0", tenant="globex"):
        kept = follower.take(1)

    assert (gone.status_code, gone.json()["code"], gone.json()["retained_from"]) == (410, "events-gone", 2)
    assert theirs.status_code == 410
    assert int(kept[0]["sequence"]) == 3


def a_seat(after=None):
    call = Call(actor=Actor(id="ada", roles=frozenset({"viewer"})), tenant="acme", at="2026-01-01T00:00:00Z", trace="0")
    return Seat("acme", Wish.of(Ask(), call), after, 60.0)


def test_a_client_that_does_not_keep_up_is_told_and_can_come_back(database, tmp_path):
    made = Installation(database.app_url, tmp_path, Pace(poll=0.01, queue=5))

    async def fall_behind():
        async with made.live.joined(a_seat()) as feed:
            items = feed.items()
            opened = await anext(items)
            first = asyncio.ensure_future(anext(items))
            await asyncio.sleep(0.05)
            await asyncio.to_thread(made.happen, *[PlanClosed] * 30)
            seen = [await first, *[item async for item in items]]
        async with made.live.joined(a_seat(seen[-1].position)) as feed:
            rest = []
            async for item in feed.items():
                rest += [item] if isinstance(item, Frame) else []
                if len(rest) + len(seen) - 1 == 30:
                    break
        return opened, seen, rest

    opened, seen, rest = asyncio.run(fall_behind())
    made.close()

    assert isinstance(seen[-1], Over)
    assert seen[-1].code == "overflow"
    assert 0 < len(seen) - 1 < 30
    places = [frame.position for frame in [*seen[:-1], *rest]]
    assert places == list(range(opened.position + 1, opened.position + 31))


def test_threads_that_write_while_clients_come_and_go_leave_no_gap_and_no_double(site):
    def write(number):
        for _ in range(25):
            site.app.happen(PlanClosed, stream=f"plan_{number}")

    writers = [threading.Thread(target=write, args=(number,)) for number in range(4)]
    for each in writers:
        each.start()
    seen: list[dict[str, Any]] = []
    last = 0
    while len(seen) < 100:
        with site.following("?after=0", last=last) as follower:
            seen += follower.take(min(17, 100 - len(seen)))
            last = follower.last
    for each in writers:
        each.join()

    with site.app.engine.connect() as connection:
        connection.execute(text("SELECT set_config('carapulse.tenant', 'acme', true)"))
        kept = connection.execute(text("SELECT position, id FROM events ORDER BY position")).all()
    assert [(int(each["sequence"]), each["id"]) for each in seen] == [tuple(row) for row in kept]
