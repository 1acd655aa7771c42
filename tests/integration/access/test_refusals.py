"""Every refusal is a fact with its reason, a flood of them is one a minute, and no trouble with the log is an answer."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from tests.builders.rates import unlimited

from carapulse.kernel.call import Scope
from carapulse.metrics import show_metrics
from carapulse.runtime.areas import ROUTERS
from carapulse.runtime.http.app import make_app as make_http


def told(site, by):
    return site.events("AccessRefused", actor_id=by)


CASES: dict[str, tuple[str, str, dict[str, Any]]] = {
    "role-required": ("POST", "/v1/plans/plan_1:execute", {"role": "viewer"}),
    "person-required": ("POST", "/v1/approvals", {"role": "approver", "kind": "service"}),
    "scope-exceeded": ("GET", "/v1/sources", {"scope": Scope(environments=("dev",))}),
    "tenant-mismatch": ("GET", "/v1/plans", {"headers": {"x-tenant-id": "initech"}}),
}
PLACES = {
    "role-required": ("plan:execute", "/v1/plans/{plan_id}:execute"),
    "person-required": ("approval:decide", "/v1/approvals"),
    "scope-exceeded": ("source:read", "/v1/sources"),
    "tenant-mismatch": (None, None),
}


@pytest.mark.parametrize("reason", CASES)
def test_a_refusal_is_an_event_with_its_reason(site, reason):
    method, path, whose = CASES[reason]
    by = f"mallory-{reason}"

    answer = site.ask(method, path, {} if method == "POST" else None, by=by, **whose)

    assert (answer.status_code, answer.json()["code"]) == (403, reason)
    (event,) = told(site, by)
    permission, route = PLACES[reason]
    assert event["body"] == {
        "reason": reason,
        "permission": permission,
        "method": method,
        "route": route,
        "kind": whose.get("kind", "person"),
        "left_out": 0,
    }
    assert event["trace"] == answer.json()["trace_id"]


def test_a_flood_is_one_event_a_minute_that_counts_the_rest(site):
    def knock(path="/v1/sources"):
        assert site.ask("GET", path, by="flood", role="viewer").status_code == 403

    for _ in range(5):
        knock()
    knock("/v1/dead-letters")
    assert len(told(site, "flood")) == 2
    site.clock.move(timedelta(seconds=61))
    knock()

    assert [event["body"]["left_out"] for event in told(site, "flood")] == [4, 0, 0]


def test_another_tenant_does_not_see_it(site):
    site.ask("GET", "/v1/sources", by="hidden", role="viewer")

    other = site.ask("GET", "/v1/audit/events?type=AccessRefused", tenant="initech").json()["data"]

    assert "hidden" not in {event["actor"] for event in other}


def test_what_policy_refused_is_told_once_by_its_own_event(site):
    answer = site.planned(environment="nowhere", by="lost")

    assert answer.json()["code"] == "policy-denied"
    assert told(site, "lost") == []
    assert "lost" in {event["actor"] for event in site.events("PolicyDecided")}


def test_a_database_that_is_away_makes_no_other_answer_of_it(site):
    away = replace(site.another_process("postgresql://nobody@127.0.0.1:9/nothing"), rates=unlimited())

    answer = site.ask("GET", "/v1/sources", by="away", role="viewer", http=make_http(away, ROUTERS))

    assert (answer.status_code, answer.json()["code"]) == (403, "role-required")


def counted(name):
    lines = show_metrics().decode().splitlines()
    return sum(float(line.rpartition(" ")[2]) for line in lines if line.startswith(name))


def test_who_could_not_prove_anything_is_counted(site):
    name = 'carapulse_unauthenticated_total{code="token-refused"}'
    before = counted(name)

    assert site.ask("GET", "/v1/me", key="nonsense").status_code == 401

    assert counted(name) == before + 1
