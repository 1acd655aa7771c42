"""Slack's signature, with the example that Slack publishes."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from carapulse.chatops.errors import ChatRefused
from carapulse.chatops.signing import SlackHeaders, sign, verify

SECRET = "8f742231b10e8888abcd99yyyzzz85a5"
AT = datetime.fromtimestamp(1531420618, UTC)
BODY = (Path(__file__).parents[2] / "events" / "slack" / "command.txt").read_bytes()
SIGNATURE = "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503"
HEADERS = SlackHeaders(timestamp="1531420618", signature=SIGNATURE)


def test_the_example_that_slack_publishes_is_proven():
    assert sign(SECRET, "1531420618", BODY) == SIGNATURE
    assert verify(HEADERS, BODY, SECRET, AT).until == AT + timedelta(minutes=10)


@pytest.mark.parametrize("minutes", [-5, 5])
def test_five_minutes_are_in_time_and_a_second_more_is_not(minutes):
    edge = AT + timedelta(minutes=minutes)

    assert verify(HEADERS, BODY, SECRET, edge)
    with pytest.raises(ChatRefused):
        verify(HEADERS, BODY, SECRET, edge + timedelta(seconds=1 if minutes > 0 else -1))


@pytest.mark.parametrize(
    "headers",
    [
        SlackHeaders(),
        SlackHeaders(timestamp="1531420618"),
        SlackHeaders(signature=SIGNATURE),
        SlackHeaders(timestamp="1531420618", signature=SIGNATURE.upper()),
        SlackHeaders(timestamp="1531420619", signature=SIGNATURE),
        SlackHeaders(timestamp="+1531420618", signature=SIGNATURE),
        SlackHeaders(timestamp="1531420618.0", signature=SIGNATURE),
        SlackHeaders(timestamp="1531420618", signature=SIGNATURE.removeprefix("v0=")),
    ],
)
def test_what_is_not_exactly_the_proof_is_none(headers):
    with pytest.raises(ChatRefused):
        verify(headers, BODY, SECRET, AT)


def test_a_signature_is_remembered_whatever_else_its_request_says():
    first, second = (verify(HEADERS, BODY, SECRET, AT + timedelta(seconds=each)) for each in (0, 60))

    assert first == second
