"""Tickets: for browsers, which can't set a header where they follow."""

from datetime import timedelta

import pytest
from sqlalchemy import text
from tests.builders.following import FRIEND, Installation, PlanClosed, Site, serving, subjects

from carapulse.audit.model import EventFilter
from carapulse.identity.model import Principal, Proof
from carapulse.kernel.call import Actor, Call
from carapulse.live.errors import TicketRefused
from carapulse.live.usecases import LIFETIME, issue_ticket, take_ticket


def a_ticket(site, **who):
    answer = site.ask("POST", "/v1/live:ticket", **who)
    assert answer.status_code == 200
    return answer.json()["ticket"]


def test_a_ticket_opens_a_stream_once_in_the_name_of_whoever_asked_for_it(site):
    ticket = a_ticket(site, role="viewer")

    with site.following(f"?ticket={ticket}&after=0", headers={}) as follower:
        site.app.happen(PlanClosed, stream="plan_1")
        seen = follower.take(1)
    again = site.http.get(f"/v1/events?ticket={ticket}")

    assert subjects(seen) == ["plan_1"]
    assert (again.status_code, again.json()["code"]) == (401, "ticket-refused")


def test_a_ticket_opens_a_socket(site):
    with site.talking(f"?ticket={a_ticket(site)}", headers={}) as talker:
        site.app.happen(PlanClosed, stream="plan_1")

        assert talker.next()["subject"] == "plan_1"


def test_a_ticket_holds_for_half_a_minute(installation):
    at = installation.clock.now()
    principal = Principal(
        actor=Actor(id="ada", roles=frozenset({"viewer"})),
        tenant="acme",
        expires_at=at.timestamp() + 3600,
        proof=Proof(kind="token"),
    )
    issued_before = Call(actor=principal.actor, tenant="acme", at=at - LIFETIME, trace="0" * 32)
    old = issue_ticket(principal, issued_before, installation)
    new = issue_ticket(principal, issued_before.model_copy(update={"at": at - LIFETIME / 2}), installation)

    with pytest.raises(TicketRefused):
        take_ticket(old.ticket, installation)

    assert take_ticket(new.ticket, installation) == principal
    assert new.expires_at == at + LIFETIME / 2


def test_a_ticket_lives_no_longer_than_the_token_it_came_from(site):
    # A token's end is a whole second: of one second's life, what is left may be none.
    ticket = a_ticket(site, lifetime=timedelta(seconds=3))

    with site.following(f"?ticket={ticket}", headers={}) as follower:
        last = follower.next()

    assert last["event"] == "token-expired"


def test_another_process_knows_that_a_ticket_was_used(site, database, tmp_path):
    ticket = a_ticket(site)
    other = Installation(database.app_url, tmp_path)

    with serving(other) as port, Site(other, port).following(f"?ticket={ticket}", headers={}):
        refused = site.http.get(f"/v1/events?ticket={ticket}")
    other.close()

    assert refused.status_code == 401


def test_a_ticket_stands_alone_and_opens_nothing_else(site):
    ticket = a_ticket(site)
    beside = site.ask("GET", f"/v1/events?ticket={ticket}")
    twice = site.http.get(f"/v1/events?ticket={ticket}&ticket={ticket}")
    elsewhere = site.http.post(f"/v1/live:ticket?ticket={ticket}")

    assert [each.status_code for each in (beside, twice, elsewhere)] == [401, 401, 401]
    with site.following(f"?ticket={ticket}", headers={}):
        pass


def test_a_page_of_another_origin_gets_nothing_and_its_ticket_stays_good(site):
    ticket = a_ticket(site)
    foreign = site.http.get(f"/v1/events?ticket={ticket}", headers={"Origin": "https://evil.example"})

    assert (foreign.status_code, foreign.json()["code"]) == (403, "stream-origin-refused")
    with site.following(f"?ticket={ticket}", headers={"Origin": FRIEND}):
        pass


def test_what_is_kept_and_told_of_a_ticket_is_not_the_ticket(site):
    ticket = a_ticket(site)

    with site.app.engine.connect() as connection:
        connection.execute(text("SELECT set_config('carapulse.tenant', 'acme', true)"))
        kept = connection.execute(text("SELECT CAST(t AS text) FROM live_tickets t")).scalars().all()
        told = connection.execute(text("SELECT CAST(e AS text) FROM events e")).scalars().all()

    assert len(kept) == len(told) == 1
    assert ticket not in kept[0] + told[0]


def test_the_log_says_who_was_given_a_ticket_and_that_it_was_used(site):
    with site.following(f"?ticket={a_ticket(site, by='grace')}", headers={}):
        pass

    call = Call(actor=Actor(id="ada"), tenant="acme", at=site.app.clock.now(), trace="0" * 32)
    with site.app.begin(call) as work:
        found = work.evidence.page(EventFilter()).data
    assert [(each.type, each.actor) for each in found] == [("TicketUsed", "grace"), ("TicketIssued", "grace")]
