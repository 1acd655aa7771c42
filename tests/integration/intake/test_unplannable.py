"""An alert that can't become a plan is never lost: it is seen with the reasons, and tried again once they are gone."""

import pytest
from tests.builders.intake import a_route

from carapulse.kernel.errors import Unavailable


@pytest.mark.parametrize(
    ("code", "pointer", "given"),
    [
        ("not-in-alert", "/input/lamp", {"routes": [{"input": {"lamp": {"$from": "labels.zone"}}}]}),
        ("workflow-not-found", None, {"routes": [{"workflow": "no_such"}]}),
        ("workflow-input-invalid", None, {"routes": [{"input": {}}]}),
        ("known_environment", None, {"context": {"environment": "nowhere"}}),
        ("template-unfilled", None, {"routes": [{"context": {"namespace": {"$from": "annotations.summary"}}}]}),
    ],
)
def test_an_alert_that_cannot_become_a_plan_is_seen_with_the_reasons(planning, code, pointer, given):
    routes = [a_route(**each).model_dump(mode="json") for each in given.get("routes", [{}])]
    source = planning.reported(**{**given, "routes": routes})

    alert = planning.the_alert()

    assert alert["status"] == "failed"
    assert (code, pointer) in [(reason["code"], reason["pointer"]) for reason in alert["reasons"]]
    assert planning.plans() == []
    kind, body = planning.events(source["source"]["id"])[-1]
    assert (kind, body["reasons"]) == ("AlertPlanFailed", alert["reasons"])


def test_a_failed_alert_is_tried_again_once_its_route_is_corrected(planning):
    wrong = a_route(workflow="no_such").model_dump(mode="json")
    source = planning.reported(routes=[wrong])
    planning.report(source, "firing_one_service")
    planning.work_off()
    before = planning.kinds(source).count("AlertPlanFailed")

    planning.register()
    planning.report(source, "firing_one_service")
    planning.work_off()

    assert before == 1
    assert planning.the_alert()["status"] == "planned"


class SilentPolicy:
    """An engine that can't be reached."""

    digest = "sha256:00"

    def decide(self, _document):
        raise Unavailable("the policy engine did not answer")


def test_a_policy_that_cannot_be_asked_leaves_the_alert_open_and_the_message_comes_again(site):
    source = site.register().json()
    site.report(source, "firing_one_service")
    site.work_off()
    site.application.policy = SilentPolicy()

    with pytest.raises(Unavailable):
        site.again(site.the_alert())

    assert (site.the_alert()["status"], site.plans()) == ("open", [])
    assert "AlertPlanFailed" not in site.kinds(source)
