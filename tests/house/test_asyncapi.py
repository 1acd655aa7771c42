"""What is sent on its own is described, wholly and as AsyncAPI 3.0 says; what would break whoever follows it is named."""

import copy
import json
from pathlib import Path

import jsonschema_rs
import pytest
from docs.breaking_messages import breaking_messages
from docs.handed import HANDLED
from infra.aws.template import load
from tests.builders import contract

from carapulse.live.readers import READERS

ROOT = Path(__file__).parents[2]
CONTRACT = json.loads((ROOT / "docs" / "reference" / "asyncapi.json").read_text())
SPECIFICATION = json.loads((ROOT / "tests" / "schemas" / "asyncapi" / "3.0.0.json").read_text())


@pytest.fixture
def changed():
    """Return a copy of the contract, to be changed."""
    return copy.deepcopy(CONTRACT)


def references(node):
    """Yield every reference in a document."""
    if isinstance(node, dict):
        yield from (value for key, value in node.items() if key == "$ref" and isinstance(value, str))
        node = list(node.values())
    if isinstance(node, list):
        for each in node:
            yield from references(each)


def found(reference):
    node = CONTRACT
    for key in reference.removeprefix("#/").split("/"):
        node = node[key.replace("~1", "/").replace("~0", "~")]
    return node


def channels_of(*servers):
    """Return the channels at these servers."""
    named = {f"#/servers/{server}" for server in servers}
    return [each for each in CONTRACT["channels"].values() if {server["$ref"] for server in each["servers"]} & named]


def spoken(channel):
    """Return what the program does with which messages of a channel, and who may have it do so."""
    operations = [each for each in CONTRACT["operations"].values() if found(each["channel"]["$ref"]) is channel]
    return [
        (each["action"], [message["$ref"].rpartition("/")[2] for message in each["messages"]], each["security"])
        for each in operations
    ]


def payload(document, message):
    return document["components"]["messages"][message]["payload"]


def schema(document, name):
    return document["components"]["schemas"][name]


def test_the_document_is_asyncapi():
    errors = [str(each.instance_path) for each in jsonschema_rs.Draft7Validator(SPECIFICATION).iter_errors(CONTRACT)]

    assert errors == []


def test_every_reference_leads_somewhere():
    assert all(found(each) for each in references(CONTRACT))


def test_no_schema_and_no_message_is_there_for_nothing():
    components = CONTRACT["components"]
    used = set(references(CONTRACT))

    assert {f"#/components/{kind}/{name}" for kind in ("schemas", "messages") for name in components[kind]} <= used


def test_every_kind_of_event_and_of_work_has_a_message():
    messages = CONTRACT["components"]["messages"]

    assert {name: each["x-permission"] for name, each in messages.items() if "x-permission" in each} == dict(READERS)
    assert set(HANDLED) <= messages.keys()
    assert {each["summary"].endswith(".") for each in messages.values()} == {True}


def test_what_is_asked_over_http_is_served_there():
    served = {*contract.CONTRACT["paths"], "/v1/ws"}

    assert {each["address"] for each in channels_of("http", "websocket")} <= served


def test_the_address_on_aws_is_the_one_that_the_stack_says_and_the_same_is_sent_there_as_elsewhere():
    server = CONTRACT["servers"]["awsWebsocket"]
    (held,), (own,) = channels_of("awsWebsocket"), channels_of("websocket")
    said = load(ROOT / "infra" / "aws" / "live.yml")["Outputs"]["LiveUrl"]["Value"]["Fn::Sub"]
    names = {"${LiveApi}": "{api}", "${AWS::Region}": "{region}", "${AWS::URLSuffix}": "{suffix}"}
    for name, variable in names.items():
        said = said.replace(name, variable)

    assert f"{server['protocol']}://{server['host']}{held['address']}" == said
    assert {f"{{{name}}}" for name in server["variables"]} == set(names.values())
    assert (held["messages"], held["bindings"]) == (own["messages"], own["bindings"])
    assert spoken(held) == spoken(own) != []


def test_nothing_is_broken_by_nothing():
    assert breaking_messages(CONTRACT, copy.deepcopy(CONTRACT)) == []


def test_more_kinds_of_events_and_members_of_them_break_nothing(changed):
    changed["components"]["messages"]["PlanPainted"] = changed["components"]["messages"]["PlanClosed"]
    changed["channels"]["events"]["messages"]["PlanPainted"] = {"$ref": "#/components/messages/PlanPainted"}
    changed["operations"]["followEvents"]["messages"].append({"$ref": "#/channels/events/messages/PlanPainted"})
    schema(changed, "PlanClosed")["properties"]["colour"] = {"type": "string"}
    schema(changed, "Subscribe")["properties"]["colour"] = {"type": "string"}

    assert breaking_messages(CONTRACT, changed) == []


def unfollow(document):
    document["operations"]["followEvents"]["messages"].remove({"$ref": "#/channels/events/messages/PlanClosed"})


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda d: d["operations"].pop("followLines"), "followLines is gone"),
        (unfollow, "followEvents has no PlanClosed any more"),
        (lambda d: d["channels"]["ws"].update(address="/v2/ws"), "ping is at /v2/ws, not /v1/ws"),
        (lambda d: schema(d, "PlanClosed")["properties"].pop("reason"), "followEvents PlanClosed/data/reason is gone"),
        (
            lambda d: schema(d, "CloudEvent")["required"].remove("time"),
            "followEvents PlanClosed/time may be absent now",
        ),
        (
            lambda d: payload(d, "PlanClosed")["allOf"][1]["properties"]["type"].update(const="PlanClosed"),
            "followEvents PlanClosed/type is PlanClosed, not io.carapulse.PlanClosed",
        ),
        (lambda d: schema(d, "Subscribe")["required"].append("after"), "turn subscribe/after is needed now"),
        (lambda d: schema(d, "Notification")["required"].append("truncatedAlerts"), "truncatedAlerts is needed now"),
        (
            lambda d: d["components"]["messages"]["alertNotificationSigned"]["headers"]["required"].append("x-why"),
            "receiveSignedAlerts alertNotificationSigned/x-why is needed now",
        ),
        (lambda d: schema(d, "Envelope")["properties"]["tenant"].update(type="integer"), "is integer, not string"),
    ],
)
def test_what_others_stand_on_must_stay(changed, change, said):
    change(changed)

    assert any(said in each for each in breaking_messages(CONTRACT, changed))
