"""Whoever may touch a part of the tenant sees and touches nothing else, on any surface."""

from datetime import timedelta

import pytest
from tests.builders.intake import a_payload, a_route, a_source
from tests.builders.plans import GLANCE, SWITCH, a_call
from tests.world.issuer import an_issuer, an_issuers_file

from carapulse.intake.alertmanager import read_notification
from carapulse.intake.alerts import Alert, affected_services
from carapulse.kernel.call import Scope

WHOLE = Scope()
SHOP = Scope(environments=("dev",), services=("checkout",))
EAST = Scope(clusters=("east",))
DEV = Scope(environments=("dev",))
INSIDE = {"environment": "dev", "service": "checkout", "cluster": "east"}
OUTSIDE = {"environment": "staging", "service": "billing", "cluster": "west"}
READS = ["", "/diff", "/risk", "/timeline", "/decisions", "/evidence"]


@pytest.fixture(scope="module")
def inside(site):
    return begun(site, **INSIDE)


@pytest.fixture(scope="module")
def outside(site):
    return begun(site, **OUTSIDE)


def begun(site, **where):
    plan = site.planned(**where).json()
    answer = site.ask("POST", f"/v1/plans/{plan['plan_id']}:execute", role="operator")
    assert answer.status_code == 202, answer.text
    waits = site.planned(**where, on=False).json()
    return {"plan": plan["plan_id"], "execution": answer.json()["execution_id"], "waits": waits}


def ids(site, path, name, **whose):
    found, cursor = [], ""
    while True:
        page = site.ask("GET", f"{path}?limit=1{cursor}", **whose).json()
        found += [each[name] for each in page["data"]]
        if page["next_cursor"] is None:
            return found
        cursor = f"&cursor={page['next_cursor']}"


@pytest.mark.parametrize("scope", [SHOP, EAST, Scope(services=("checkout",)), Scope(environments=("dev", "prod"))])
def test_what_is_outside_is_exactly_as_unknown_as_what_never_was(site, inside, outside, scope):
    for read in READS:
        seen, hidden, unknown = (
            site.ask("GET", f"/v1/plans/{plan_id}{read}", role="sre", scope=scope)
            for plan_id in (inside["plan"], outside["plan"], "plan_0")
        )
        assert seen.status_code == 200, read
        assert hidden.status_code == unknown.status_code == 404, read
        assert told(hidden) == told(unknown)
    for read in ("", "/logs"):
        hidden = site.ask("GET", f"/v1/executions/{outside['execution']}{read}", role="sre", scope=scope)
        unknown = site.ask("GET", f"/v1/executions/exec_0{read}", role="sre", scope=scope)
        assert hidden.status_code == 404, read
        assert told(hidden) == told(unknown)
    assert site.ask("GET", f"/v1/executions/{inside['execution']}", role="sre", scope=scope).status_code == 200


def told(answer):
    return {name: value for name, value in answer.json().items() if not name.endswith("_id")}


@pytest.mark.parametrize("scope", [SHOP, EAST])
def test_lists_leave_out_what_is_outside_and_their_pages_are_full(site, inside, outside, scope):
    plans = ids(site, "/v1/plans", "plan_id", role="viewer", scope=scope)
    executions = ids(site, "/v1/executions", "execution_id", role="viewer", scope=scope)
    approvals = ids(site, "/v1/approvals", "plan_id", role="viewer", scope=scope)
    streams = ids(site, "/v1/audit/events", "stream", role="sre", scope=scope)

    assert inside["plan"] in plans
    assert inside["execution"] in executions
    assert inside["waits"]["plan_id"] in approvals
    assert set(streams) <= set(plans)
    assert inside["plan"] in streams
    hidden = {outside["plan"], outside["execution"], outside["waits"]["plan_id"]}
    assert not hidden & {*plans, *executions, *approvals, *streams}
    assert outside["plan"] in ids(site, "/v1/plans", "plan_id", role="viewer")


@pytest.mark.parametrize("form", ["jsonl", "csv"])
def test_what_is_taken_out_of_the_log_has_nothing_from_outside(site, inside, outside, form):
    site.clock.move(timedelta(seconds=1))  # what happens at the moment of the question is left out

    narrow, whole, named = (
        site.ask("GET", f"/v1/audit/events:export?format={form}{more}", role="auditor", scope=scope).text
        for more, scope in (("", SHOP), ("", WHOLE), (f"&stream={outside['plan']}", SHOP))
    )

    assert inside["plan"] in narrow
    assert outside["plan"] in whole
    assert outside["plan"] not in narrow + named


COMMANDS = [
    ("POST", "/v1/plans/{plan}:execute", None),
    ("POST", "/v1/plans/{plan}:close", {"reason": "not wanted"}),
    ("POST", "/v1/plans/{plan}:revoke", None),
    ("POST", "/v1/executions/{execution}:cancel", None),
    ("POST", "/v1/executions/{execution}:pause", None),
    ("POST", "/v1/executions/{execution}:resume", None),
    ("POST", "/v1/executions/{execution}:retry", {"step_id": "s1", "note": "again"}),
    ("POST", "/v1/executions/{execution}:resolve", {"step_id": "s1", "done": True, "note": "seen"}),
    ("POST", "/v1/executions/{execution}:undo", None),
    ("POST", "/v1/authz:check", {"action": "plan:execute", "plan_id": "{plan}"}),
]


@pytest.mark.parametrize(("method", "path", "body"), COMMANDS, ids=[path for _, path, _ in COMMANDS])
def test_nothing_outside_can_be_touched(site, outside, method, path, body):
    if body and "plan_id" in body:
        body = {**body, "plan_id": outside["plan"]}

    answer = site.ask(method, path.format(**outside), body, role="admin", scope=SHOP)

    assert answer.status_code == 404


def test_who_holds_a_target_from_outside_is_not_named(site, outside):
    lamp = site.ask("GET", f"/v1/plans/{outside['plan']}").json()["steps"][0]["input"]["lamp"]
    steps = [{**SWITCH, "input": {"lamp": lamp, "on": True}}, {**GLANCE, "input": {"lamp": lamp}}]
    body = {"summary": "mine", "context": {"environment": "dev", "service": "checkout"}, "steps": steps}
    plan = site.ask("POST", "/v1/plans", body, role="operator", scope=SHOP).json()

    narrow, whole = (
        site.ask("POST", f"/v1/plans/{plan['plan_id']}:execute", role="operator", scope=each) for each in (SHOP, WHOLE)
    )

    assert (narrow.status_code, narrow.json()["code"]) == (409, "target-locked")
    assert outside["execution"] not in narrow.text
    assert whole.json()["execution_id"] == outside["execution"]


def test_nobody_answers_for_a_plan_outside(site, outside):
    assert site.answered(outside["waits"], by="bob", role="approver", scope=SHOP).status_code == 404


@pytest.mark.parametrize(
    ("scope", "where", "reason"),
    [
        (SHOP, OUTSIDE, "the environment is outside of what the caller may touch"),
        (SHOP, {"environment": "dev", "service": "billing"}, "the service is outside of what the caller may touch"),
        (SHOP, {"environment": "dev", "service": None}, "the service is outside of what the caller may touch"),
        (EAST, {"environment": "dev"}, "the cluster is outside of what the caller may touch"),
    ],
)
def test_a_plan_outside_is_refused_by_policy_and_the_refusal_is_in_the_log(site, scope, where, reason):
    answer = site.planned(**where, scope=scope)

    assert (answer.status_code, answer.json()["code"]) == (403, "policy-denied")
    assert {"guard": "within_scope", "reason": reason} in answer.json()["reasons"]
    decided = site.events("PolicyDecided")[0]["body"]
    assert (decided["outcome"], decided["decision_id"]) == ("deny", answer.json()["decision_id"])


def test_a_plan_inside_is_not_revised_to_the_outside(site):
    plan = site.planned(**INSIDE, scope=SHOP).json()
    body = {"summary": "elsewhere", "context": {"environment": "staging"}, "steps": [SWITCH, GLANCE]}

    answer = site.ask("POST", f"/v1/plans/{plan['plan_id']}/versions", body, role="operator", scope=SHOP)

    assert (answer.status_code, answer.json()["code"]) == (403, "policy-denied")


def test_a_repetition_shows_nothing_that_is_outside_of_a_scope_by_now(site):
    again = {"headers": {"Idempotency-Key": "once"}, "by": "shrunk", "role": "operator"}
    body = {"summary": "look", "context": {"environment": "staging"}, "steps": [SWITCH, GLANCE]}
    first, same, narrow = (site.ask("POST", "/v1/plans", body, scope=each, **again) for each in (WHOLE, WHOLE, DEV))

    assert (first.status_code, same.status_code) == (201, 201)
    assert (narrow.status_code, narrow.json()["code"]) == (403, "scope-exceeded")
    assert first.json()["plan_id"] not in narrow.text
    refused = site.events("AccessRefused", actor_id="shrunk")[0]["body"]
    assert (refused["reason"], refused["permission"]) == ("scope-exceeded", "plan:create")


def test_what_a_key_began_goes_on_with_the_key_s_scope(site):
    _, text = site.made(name="shopkeeper", scope={"environments": ["dev"], "services": ["checkout"]})
    plan = site.planned(**INSIDE, key=text).json()

    begun = site.ask("POST", f"/v1/plans/{plan['plan_id']}:execute", key=text)

    assert begun.status_code == 202, begun.text
    with site.app.begin(a_call()) as work:
        assert work.executions.get(begun.json()["execution_id"]).requested_by.scope == SHOP
        query = "SELECT actor FROM messages WHERE body ->> 'execution_id' = %s"
        actors = work.connection.exec_driver_sql(query, (begun.json()["execution_id"],)).scalars().all()
    assert {Scope.model_validate(actor["scope"]) for actor in actors} == {SHOP}


@pytest.mark.parametrize("path", ["/v1/dead-letters", "/v1/sources"])
def test_what_is_about_the_whole_tenant_is_refused(site, path):
    answer = site.ask("GET", path, by="parts", scope=SHOP)

    assert (answer.status_code, answer.json()["code"]) == (403, "scope-exceeded")
    assert site.events("AccessRefused", actor_id="parts")[0]["body"]["route"] == path


def test_alerts_are_seen_where_their_plan_is_or_would_be(site, outside):
    routes = [a_route(context={"environment": "dev"}).model_dump()]
    source = a_source(routes=routes, context={"environment": "staging", "cluster_id": "west"})
    notification = read_notification(a_payload())
    found = [
        Alert.opened(affected, source, "delivery_1", site.clock.now(), trusted=True)
        for affected in affected_services(source, notification)
    ]
    found[-1] = found[-1].planned(outside["plan"])
    with site.app.begin(a_call()) as work:
        work.sources.add(source)
        for alert in found:
            work.alerts.add(alert)
    routed = [alert for alert in found if alert.route and not alert.plan_id]

    def seen(**scope):
        return set(ids(site, "/v1/alerts", "id", role="viewer", scope=Scope(**scope)))

    assert routed
    assert seen(environments=("dev",)) == {alert.id for alert in routed}
    assert seen(environments=("staging",)) == {alert.id for alert in found} - {alert.id for alert in routed}
    assert seen(clusters=("east",)) == set()
    assert seen(environments=("dev",), services=(str(routed[0].service),)) == {routed[0].id}
    for method, end in (("GET", ""), ("POST", ":close")):
        path = f"/v1/alerts/{routed[0].id}{end}"
        assert site.ask(method, path, role="operator", scope=Scope(environments=("prod",))).status_code == 404
    assert site.ask("GET", f"/v1/alerts/{routed[0].id}", role="viewer", scope=DEV).status_code == 200


def test_keys_that_reach_outside_are_not_seen_or_revoked(site):
    narrow, _ = site.made(name="narrow", scope={"environments": ["dev"]})
    wide, _ = site.made(name="wide")

    listed = ids(site, "/v1/api-keys", "id", scope=DEV)

    assert narrow["id"] in listed
    assert wide["id"] not in listed
    answer = site.ask("POST", f"/v1/api-keys/{wide['id']}:revoke", {"reason": "x"}, scope=DEV)
    assert answer.json()["code"] == "api-key-not-found"


def test_a_token_of_an_identity_provider_keeps_to_the_scope_that_its_claims_name(site, inside, outside, tmp_path):
    scope = {
        "environments": {"claim": "envs", "missing": "refused"},
        "services": {"claim": "apps", "missing": "nothing"},
    }
    with an_issuer() as provider:
        file = an_issuers_file(tmp_path, provider.trusted(scope=scope))
        with site.believing(file) as http:

            def ask(path, **claims):
                token = provider.signed(provider.claims(groups=["sre"], **claims))
                return site.ask("GET", path, key=token, http=http)

            asked = [f"/v1/plans/{plan['plan']}" for plan in (inside, outside)]
            claims = {"envs": ["dev"], "apps": "checkout"}
            seen = [ask(path, **claims).status_code for path in asked]
            told = ask("/v1/me", **claims).json()["scope"]
            without_apps = ask(asked[0], envs=["dev"])
            refused = [ask("/v1/me", **wrong) for wrong in ({}, {"envs": {"dev": True}}, {"envs": ["*"]})]

    assert seen == [200, 404]
    assert told == {"environments": ["dev"], "services": ["checkout"], "clusters": None}
    assert without_apps.status_code == 404
    assert [(each.status_code, each.json()["code"]) for each in refused] == [(401, "token-refused")] * 3
