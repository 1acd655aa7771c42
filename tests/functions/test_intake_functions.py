"""webhooks and planning: from a signed report to an alert that is looked after, through both kinds of cloud."""

import httpx
import pytest
from tests.builders.intake import a_registration, a_route, recorded, signed
from tests.functions.clouds import a_request, on_google, on_lambda, on_uvicorn

from carapulse.intake.receiving import Webhook, receive_alerts
from carapulse.intake.signing import SignatureHeaders
from carapulse.intake.usecases import register_source

ROUTE = a_route(workflow="scale_service", input={"resource": "deployment/checkout", "replicas": 5}).model_dump()


@pytest.fixture
def source(installation):
    return register_source("cluster-alerts", a_registration(), installation.call("root", "admin"), installation.app)


def an_alert(installation):
    """Let a source report an alert, and return the message that looks into it."""
    call = installation.call("root", "admin")
    issued = register_source("cluster-alerts", a_registration(routes=[ROUTE]), call, installation.app)
    body = recorded("firing_one_service")
    headers = SignatureHeaders(
        **{name.removeprefix("webhook-"): value for name, value in signed(body, secret=issued.secret).items()}
    )
    sent = Webhook(source_id=issued.source.id, headers=headers, body=body, trace="2" * 32)
    receive_alerts(sent, installation.app)
    (message,) = installation.envelopes("planning")
    return message


def test_webhooks_takes_what_is_signed_on_lambda_and_serves_nothing_else(installation, source):
    body = recorded("firing_one_service")

    with on_lambda("webhooks", installation.environment) as function:
        _, taken = function(a_request("POST", source.source.path, body=body, **signed(body, secret=source.secret)))
        _, refused = function(a_request("POST", source.source.path, body=body, **signed(body)))
        _, elsewhere = function(a_request("GET", "/v1/plans", authorization=f"Bearer {installation.token('viewer')}"))

    assert (taken["statusCode"], refused["statusCode"], elsewhere["statusCode"]) == (202, 401, 404)
    assert len(installation.envelopes("planning")) == 1


def test_webhooks_takes_what_is_signed_under_a_server_and_serves_nothing_else(installation, source):
    body = recorded("firing_one_service")

    with on_uvicorn("webhooks", installation.environment) as url:
        taken = httpx.post(url + source.source.path, content=body, headers=signed(body, secret=source.secret))
        refused = httpx.post(url + source.source.path, content=body, headers=signed(body))
        elsewhere = httpx.get(f"{url}/v1/plans", headers={"Authorization": f"Bearer {installation.token('viewer')}"})

    assert (taken.status_code, refused.status_code, elsewhere.status_code) == (202, 401, 404)
    assert len(installation.envelopes("planning")) == 1


def look_after(installation, deliver):
    """Deliver a report, and the work that comes of it, twice each; return what became of the deliveries."""
    report = an_alert(installation)
    sorting = [deliver(report), deliver(report)]
    (wanted,) = installation.envelopes("planning")
    return [*sorting, deliver(wanted), deliver(wanted)]


def test_planning_looks_after_a_reported_alert_once_on_lambda(installation):
    with on_lambda("planning", installation.environment) as function:
        back = look_after(installation, function.messages)

    assert back == [[], [], [], []]
    assert [each.status for each in installation.rows("SELECT status FROM alerts")] == ["planned"]
    assert [each.service for each in installation.rows("SELECT service FROM plans")] == ["checkout"]


def test_planning_looks_after_a_reported_alert_once_on_cloud_run(at_google):
    with on_google("planning", at_google.environment) as function:
        answers = look_after(at_google, function.message)

    assert answers == [204, 204, 204, 204]
    assert [each.status for each in at_google.rows("SELECT status FROM alerts")] == ["planned"]
    assert [each.service for each in at_google.rows("SELECT service FROM plans")] == ["checkout"]
