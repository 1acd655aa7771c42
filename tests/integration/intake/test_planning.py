"""An alert becomes one plan that people judge, in the place its source was registered for, and none when it is over."""

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from tests.builders.intake import a_payload, a_route
from tests.builders.plans import a_call

from carapulse.approvals.errors import SelfApproval
from carapulse.approvals.usecases import DecideApproval, decide_approval
from carapulse.intake.model import source_actor
from carapulse.kernel.errors import Denied


def test_each_affected_service_of_a_group_gets_a_plan_of_its_own(planning):
    source = planning.reported("firing_three_services")

    made = {plan["service"]: plan for plan in planning.plans()}

    assert sorted(made) == ["cart", "checkout", "payments"]
    assert {alert["service"]: alert["plan_id"] for alert in planning.alerts(status="planned")} == {
        service: plan["plan_id"] for service, plan in made.items()
    }
    assert planning.kinds(source).count("AlertPlanned") == 3


def test_a_plan_says_where_it_comes_from(planning):
    source = planning.reported()

    alert = planning.the_alert()
    version = planning.version_of(alert["plan_id"])

    assert (version["trigger"], version["trusted"], version["requested_by"]) == (
        "alert",
        True,
        "source:cluster-alerts",
    )
    assert version["summary"] == "HighErrorRate on checkout: checkout answers 5xx to 7.3% of requests"
    assert version["workflow"]["input"] == {"lamp": "checkout"}
    assert version["meta"]["alert_id"] == alert["id"]
    assert version["meta"]["source_id"] == source["source"]["id"]


def test_a_payload_cannot_choose_the_environment(planning):
    source = planning.register(context={"environment": "prod"}).json()
    payload = a_payload("firing_one_service")
    for alert in payload["alerts"]:
        alert["labels"] |= {"environment": "dev", "env": "dev", "cluster_id": "sandbox"}
    planning.send(source, json.dumps(payload).encode(), secret=source["secret"])
    planning.work_off()

    (plan,) = planning.plans()
    context = planning.version_of(plan["plan_id"])["context"]

    assert (context["environment"], context["cluster_id"]) == ("prod", None)
    assert plan["status"] == "awaiting_approval"


def test_a_route_may_take_the_namespace_from_the_alert(planning):
    route = a_route(context={"namespace": {"$from": "labels.namespace"}, "cluster_id": "eu-1"}).model_dump(mode="json")
    planning.reported(routes=[route])

    context = planning.version_of(planning.the_alert()["plan_id"])["context"]

    assert (context["namespace"], context["cluster_id"], context["service"]) == ("shop", "eu-1", "checkout")


def test_what_a_sender_that_cannot_sign_asks_for_is_always_seen_by_people(planning):
    signed = planning.reported()
    source = planning.register("edge-alerts", trust="path_token").json()
    planning.http.post(source["secret_path"], content=json.dumps(a_payload("firing_one_service")).encode())
    planning.work_off()

    by_source = {alert["source"]: alert["plan_id"] for alert in planning.alerts()}
    status = {plan["plan_id"]: plan["status"] for plan in planning.plans()}

    assert status[by_source["cluster-alerts"]] == "approved"
    assert status[by_source["edge-alerts"]] == "awaiting_approval"
    assert planning.version_of(by_source["edge-alerts"])["trusted"] is False
    assert signed["source"]["id"] != source["source"]["id"]


def test_a_source_may_ask_for_a_plan_and_never_approve_one(planning):
    planning.reported(context={"environment": "prod"})
    (plan,) = planning.plans()
    digest = planning.ask("GET", f"/v1/plans/{plan['plan_id']}").json()["digest"]
    answer = DecideApproval(plan_id=plan["plan_id"], status="approved", digest=digest)
    other = a_call().model_copy(update={"actor": source_actor("another-source")})

    with pytest.raises(Denied):
        decide_approval(answer, other, planning.application)


@pytest.mark.parametrize("severity", ["critical", "emergency", "high"])
@pytest.mark.parametrize("alertname", ["NodeNetworkDown", "DeleteDatabaseFailed"])
def test_no_word_in_an_alert_drops_it(planning, severity, alertname):
    source = planning.register(routes=[a_route(match={}).model_dump(mode="json")]).json()
    payload = a_payload("firing_one_service")
    for alert in payload["alerts"]:
        alert["labels"] |= {"severity": severity, "alertname": alertname}
        alert["annotations"]["summary"] = "drop everything, destroy and delete production"
    planning.send(source, json.dumps(payload).encode(), secret=source["secret"])

    planning.work_off()

    assert planning.the_alert()["status"] == "planned"


def test_fifty_parallel_deliveries_of_one_alert_make_one_plan(planning):
    source = planning.register().json()
    with ThreadPoolExecutor(16) as pool:
        sent = list(pool.map(lambda _: planning.report(source, "firing_one_service"), range(50)))
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: planning.work_off(), range(4)))

    assert {answer.status_code for answer in sent} == {202}
    assert len(planning.plans()) == 1
    assert planning.kinds(source).count("AlertPlanned") == 1


def test_a_message_that_comes_again_plans_nothing_again(planning):
    source = planning.reported()

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: planning.again(planning.the_alert()), range(4)))

    assert len(planning.plans()) == 1
    assert planning.kinds(source).count("AlertPlanned") == 1


def test_two_workers_with_the_same_message_make_one_plan(site, planning):
    source = site.register().json()
    site.report(source, "firing_one_service")
    site.work_off()

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: planning.again(planning.the_alert()), range(4)))

    assert len(planning.plans()) == 1
    assert planning.the_alert()["status"] == "planned"
    assert planning.kinds(source).count("AlertPlanned") == 1


def test_the_end_of_an_alert_closes_its_plan(planning):
    source = planning.reported("firing_three_services")
    planning.report(source, "firing_one_pod_resolved")
    planning.work_off()
    before = {plan["status"] for plan in planning.plans()}

    planning.report(source, "resolved")
    planning.work_off()

    assert before == {"approved"}
    assert {plan["status"] for plan in planning.plans()} == {"closed"}
    assert {alert["status"] for alert in planning.alerts()} == {"resolved"}
    assert planning.kinds(source).count("AlertPlanClosed") == 3


def test_the_end_of_an_alert_leaves_a_plan_that_runs(planning):
    source = planning.reported()
    alert = planning.the_alert()
    with planning.application.begin(a_call()) as work:
        plan = work.plans.lock(alert["plan_id"])
        work.plans.replace(plan.executing("execution_1", plan.digest))

    planning.ask("POST", f"/v1/alerts/{alert['id']}:close")
    planning.work_off()

    assert [plan["status"] for plan in planning.plans()] == ["executing"]
    assert planning.kinds(source)[-2:] == ["AlertResolved", "AlertPlanKept"]


def test_an_alert_that_is_over_before_it_is_planned_gets_no_plan(site, planning):
    source = site.register().json()
    site.report(source, "firing_one_service")
    site.work_off()
    alert = site.the_alert()
    site.ask("POST", f"/v1/alerts/{alert['id']}:close")

    planning.again(alert)

    assert planning.plans() == []


def test_a_plan_that_was_made_when_its_alert_ended_is_closed(site, planning):
    source = site.register().json()
    site.report(source, "firing_one_service")
    site.work_off()
    alert = site.the_alert()
    planning.again(alert)
    as_if_killed_before_it_was_noted(planning, alert)
    planning.ask("POST", f"/v1/alerts/{alert['id']}:close")

    planning.again(alert)
    planning.work_off()

    assert [plan["status"] for plan in planning.plans()] == ["closed"]


def as_if_killed_before_it_was_noted(site, alert):
    """Put an alert back to what it was between the making of its plan and the note of it."""
    with site.application.begin(a_call()) as work:
        now = work.alerts.lock(alert["id"])
        work.alerts.replace(now.model_copy(update={"status": "open", "plan_id": None}))


def test_a_killed_worker_leaves_one_plan_and_nobody_judges_it_twice(site, planning):
    source = site.register().json()
    site.report(source, "firing_one_service")
    site.work_off()
    alert = site.the_alert()
    planning.again(alert)
    as_if_killed_before_it_was_noted(planning, alert)
    planning.register(context={"environment": "nowhere"})

    planning.again(alert)

    (plan,) = planning.plans()
    assert planning.the_alert()["plan_id"] == plan["plan_id"]
    assert [kind for kind, _ in planning.events(plan["plan_id"])] == ["PlanDrafted", "PolicyDecided"]


def test_an_alert_whose_planning_was_given_up_is_planned_when_it_is_reported_again(site, planning):
    source = site.register().json()
    site.report(source, "firing_one_service")
    site.work_off()
    site.report(source, "firing_one_service")
    site.work_off()
    soon = len(planning.plans())
    with planning.application.begin(a_call()) as work:
        alert = work.alerts.lock(site.the_alert()["id"])
        work.alerts.replace(alert.model_copy(update={"decided_at": alert.decided_at - timedelta(minutes=11)}))

    planning.report(source, "firing_one_service")
    planning.work_off()

    assert (soon, len(planning.plans())) == (0, 1)


def test_whoever_can_decide_what_a_source_asks_for_does_not_approve_it(planning):
    source = planning.register(context={"environment": "prod"}).json()
    rotated = planning.ask("POST", "/v1/sources/cluster-alerts:rotate", by="olga", json={}).json()
    planning.send(source, json.dumps(a_payload("firing_one_service")).encode(), secret=rotated["secret"])
    planning.work_off()
    (plan,) = planning.plans()
    digest = planning.ask("GET", f"/v1/plans/{plan['plan_id']}").json()["digest"]
    answer = DecideApproval(plan_id=plan["plan_id"], status="approved", digest=digest)

    for author in ("ada", "olga"):
        with pytest.raises(SelfApproval):
            decide_approval(answer, a_call(author, roles=("admin",)), planning.application)
    decided = decide_approval(answer, a_call("grace", roles=("admin",)), planning.application)

    assert rotated["source"]["authors"] == ["ada", "olga"]
    assert decided.status == "approved"
