"""Following the log: in order, exactly once, and only what is one's own to see."""

import pytest
from tests.builders.following import EvidenceExported, Installation, PlanClosed, Site, positions, serving, subjects


def test_what_happens_arrives_as_cloud_events_in_the_order_of_the_log(site):
    with site.following() as follower:
        site.app.happen(stream="plan_1")
        site.app.happen(PlanClosed, PlanClosed, stream="plan_2")
        seen = follower.take(3)

    assert subjects(seen) == ["plan_1", "plan_2", "plan_2"]
    assert positions(seen) == sorted(positions(seen))
    assert {key: seen[0][key] for key in ("specversion", "source", "type", "actor")} == {
        "specversion": "1.0",
        "source": "/tenants/acme",
        "type": "io.carapulse.PlanClosed",
        "actor": "ada",
    }
    assert seen[0]["data"] == {"plan_id": "plan_1", "reason": "é\n😀"}
    assert follower.last == positions(seen)[-1]


def test_a_client_begins_with_now_or_where_it_says(site):
    site.app.happen(stream="plan_old")

    with site.following() as from_now, site.following("?after=0") as from_the_beginning:
        site.app.happen(stream="plan_new")
        now, beginning = from_now.take(1), from_the_beginning.take(2)

    assert (subjects(now), subjects(beginning)) == (["plan_new"], ["plan_old", "plan_new"])


def test_an_event_that_commits_late_is_neither_missed_nor_out_of_order(site):
    with site.following() as follower:
        with site.app.happening("plan_late"):
            site.app.happen(stream="plan_early")
            follower.wait_for_sign()
            held_back = follower.last
        seen = follower.take(2)

    assert subjects(seen) == ["plan_late", "plan_early"]
    assert held_back is not None
    assert held_back < positions(seen)[0]


def test_a_client_that_comes_back_gets_each_event_once(site):
    seen = []
    last = None
    for number in range(6):
        site.app.happen(*[PlanClosed] * 3, stream=f"plan_{number}")
        with site.following("?after=0", last=last) as follower:
            seen += follower.take(2)
            last = follower.last

    with site.following(last=last) as follower:
        seen += follower.take(6)

    assert len(seen) == 18
    assert positions(seen) == sorted(set(positions(seen)))


def test_a_client_comes_back_to_the_place_it_was_at_after_a_restart(site, database, tmp_path):
    site.app.happen(stream="plan_1")
    with site.following("?after=0") as follower:
        follower.take(1)
    site.app.happen(stream="plan_2")

    restarted = Installation(database.app_url, tmp_path)
    with serving(restarted) as port, Site(restarted, port).following("?after=0", last=follower.last) as again:
        seen = again.take(1)
    restarted.close()

    assert subjects(seen) == ["plan_2"]


def test_signs_of_life_move_a_client_on(site):
    with site.following("?subject=plan_mine") as follower:
        began = follower.last
        site.app.happen(stream="plan_of_others")
        moved = follower.wait_for_sign().wait_for_sign().last

    assert moved > began


def test_a_client_gets_only_what_it_asks_for(site):
    with site.following("?types=PlanClosed&types=PlanDrafted&subject=plan_2", role="auditor") as follower:
        site.app.happen(PlanClosed, stream="plan_1")
        site.app.happen(EvidenceExported, PlanClosed, stream="plan_2")
        seen = follower.take(1)

    assert [(each["type"], each["subject"]) for each in seen] == [("io.carapulse.PlanClosed", "plan_2")]


def test_a_role_gets_only_what_it_may_read(site):
    with site.following(role="viewer") as viewer, site.following(role="auditor") as auditor:
        site.app.happen(EvidenceExported, PlanClosed)
        of_viewer, of_auditor = viewer.take(1), auditor.take(2)

    assert [each["type"] for each in of_viewer] == ["io.carapulse.PlanClosed"]
    assert [each["type"] for each in of_auditor] == ["io.carapulse.EvidenceExported", "io.carapulse.PlanClosed"]


def test_another_tenant_sees_nothing(site):
    site.app.happen(stream="plan_secret")

    with site.following("?after=0", tenant="globex") as theirs, site.following("?after=0") as ours:
        site.app.happen(stream="plan_secret")
        ours.take(2)
        site.app.happen(stream="plan_theirs", tenant="globex")
        seen = theirs.take(1)

    assert subjects(seen) == ["plan_theirs"]
    assert seen[0]["source"] == "/tenants/globex"


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("?types=NoSuchThing", 422),
        ("?types=EvidenceExported", 403),
        ("?after=-1", 422),
        ("?after=99999999999999999999", 422),
        ("?after=12345", 422),
        ("?subject=%00", 400),
        ("?session_id=1", 422),
        ("?access_token=x", 422),
    ],
)
def test_what_can_not_be_followed_is_a_plain_problem(site, query, status):
    answer = site.ask("GET", f"/v1/events{query}")

    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")


def test_whoever_proves_nothing_or_is_no_reader_of_events_gets_nothing(site):
    assert site.http.get("/v1/events").status_code == 401
    assert site.http.get(f"/v1/events?token={site.app.token()}").status_code == 401
