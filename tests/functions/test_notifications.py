"""notifications: what happened is told once to whoever is told of it, through both kinds of cloud."""

import json
from contextlib import contextmanager
from datetime import UTC, datetime

import pytest
from tests.builders.receiving import a_receiver, is_signed
from tests.functions.clouds import on_google, on_lambda

from carapulse.notifications.model import Registration
from carapulse.notifications.usecases import put_channel
from carapulse.plans.events import PlanClosed
from carapulse.runtime.minute import do_second


@pytest.fixture
def receiver():
    with a_receiver() as one:
        yield one


@contextmanager
def told(installation, receiver):
    """Make a channel, let something happen, and let the minute pass; give the environment of those who tell."""
    reachable = frozenset({receiver.address})
    chosen = installation.app.settings.model_copy(update={"channel_addresses": reachable})
    object.__setattr__(installation.app, "settings", chosen)
    registration = Registration(kind="webhook", url=receiver.url, events=("PlanClosed",))
    put = put_channel("people", registration, installation.call("root", "admin"), installation.app)
    with installation.app.begin(installation.call()) as work:
        work.record("plan_1", PlanClosed(plan_id="plan_1", reason="not today"), datetime.now(UTC))
    do_second(installation.app)
    yield put.secret, {**installation.environment, "CARAPULSE_CHANNEL_ADDRESSES": json.dumps(sorted(reachable))}


def tell(installation, deliver):
    """Deliver the wish to tell, and the message that comes of it, twice each."""
    (wish,) = installation.envelopes("notifications")
    asked = [deliver(wish), deliver(wish)]
    (message,) = installation.envelopes("notifications")
    return [*asked, deliver(message), deliver(message)]


def test_notifications_tells_once_what_happened_on_lambda(installation, receiver, capfd):
    with told(installation, receiver) as (secret, environment), on_lambda("notifications", environment) as function:
        back = tell(installation, function.messages)

    ((headers, body),) = receiver.got
    assert back == [[], [], [], []]
    assert "a-key-in-the-address" not in "".join(capfd.readouterr())
    assert is_signed(headers, body, secret)
    assert json.loads(body)["subject"] == "plan_1"


def test_notifications_tells_once_what_happened_on_cloud_run(at_google, receiver):
    with told(at_google, receiver) as (secret, environment), on_google("notifications", environment) as function:
        answers = tell(at_google, function.message)

    ((headers, body),) = receiver.got
    assert answers == [204, 204, 204, 204]
    assert is_signed(headers, body, secret)
    assert json.loads(body)["subject"] == "plan_1"
