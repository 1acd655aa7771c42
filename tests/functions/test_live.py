"""live and pusher: clients come to API Gateway, and are told what happens, on Lambda."""

import json
import threading
from copy import deepcopy
from datetime import UTC, datetime

import pytest
from tests.functions.clouds import on_lambda, recorded
from tests.world.sockets import sockets

from carapulse.identity.model import Principal, Proof
from carapulse.live.usecases import issue_ticket


@pytest.fixture
def world():
    with sockets() as made:
        yield made


def environment(installation, world):
    told = {"CARAPULSE_LIVE_GATEWAY": f"{world.address}/live", "CARAPULSE_LIVE_PUSHER": "tell"}
    return {**installation.environment, **world.environment, **told}


def a_ticket(installation):
    call = installation.call("ada", "admin")
    until = datetime.now(UTC).timestamp() + 60
    principal = Principal(actor=call.actor, tenant=call.tenant, expires_at=until, proof=Proof(kind="token"))
    return issue_ticket(principal, call, installation.app).ticket


def a_connect(**query):
    event = deepcopy(recorded("aws/websocket_connect"))
    event["multiValueQueryStringParameters"] = {name: [value] for name, value in query.items()}
    return event


def test_a_client_is_let_in_told_heard_and_forgotten_on_lambda(installation, world):
    ticket = a_ticket(installation)
    connection = recorded("aws/websocket_connect")["requestContext"]["connectionId"]

    with (
        on_lambda("live", environment(installation, world)) as live,
        on_lambda("pusher", environment(installation, world)) as pusher,
    ):
        came = live(a_connect(ticket=ticket, after="0"))
        told = threading.Thread(target=pusher, args=({},))
        told.start()
        said = world.wait_for(connection, 3)
        heard = live(recorded("aws/websocket_message"))
        pong = world.wait_for(connection, 4)[3]
        left = [live(recorded("aws/websocket_disconnect")) for _ in range(2)]
        told.join(20)

    assert [kind for kind, _ in (came, heard, *left)] == ["response"] * 4
    assert [answer["statusCode"] for _, answer in (came, heard, *left)] == [200, 200, 200, 404]
    assert [each["type"] for each in said] == ["open", "io.carapulse.TicketIssued", "io.carapulse.TicketUsed"]
    assert pong["type"] == "pong"
    assert world.woken == {"tell": 1}
    assert not told.is_alive(), "who tells clients ends when there are none"


def test_live_refuses_a_ticket_that_is_used_up_and_what_it_does_not_know(installation, world):
    ticket = a_ticket(installation)
    with on_lambda("live", environment(installation, world)) as live:
        statuses = [live(a_connect(ticket=ticket))[1]["statusCode"] for _ in range(2)]
        unknown = live({})[1]

    assert statuses == [200, 401]
    assert (unknown["statusCode"], json.loads(unknown["body"])["code"]) == (422, "no-such-occasion")


@pytest.mark.parametrize("run", [lambda given: on_lambda("live", given), lambda given: on_lambda("pusher", given)])
def test_neither_begins_where_no_gateway_holds_sockets(installation, run):
    with run(installation.environment) as function:
        kind, said = function.begun()

    assert kind == "error"
    assert "CARAPULSE_LIVE_GATEWAY" in said["errorMessage"]
