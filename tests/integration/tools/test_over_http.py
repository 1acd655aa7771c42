"""Tools over HTTP: what one can do, and what a use of it would be, with nothing done."""

import json
from typing import cast

import pytest
from tests.builders.caller import Caller
from tests.builders.shared import Tenant, a_database, an_application
from tests.builders.tools import a_connection, a_toolbox

from carapulse.bootstrap import App

CONTEXT = {"environment": "dev", "namespace": "shop"}
SCALE = {"resource": "deployment/checkout", "replicas": 50}
TOKEN = {"secret": "env:NOBODY_SET_THIS", "prefix": "Bearer "}
KUBE = {"context": "dev", "kubeconfig": "/nowhere/config"}
CONNECTIONS = (
    a_connection(
        "kubectl",
        settings=KUBE,
        environment={"KUBECONFIG": "/nowhere/config", "KUBE_TOKEN": {"secret": "env:NOBODY_SET_THIS"}},
    ),
    a_connection(
        "vault",
        base_url="http://127.0.0.1:9",
        headers={"X-Vault-Token": TOKEN},
        secrets={"db": {"secret": "env:NOBODY_SET_THIS"}},
    ),
    a_connection("grafana", base_url="http://127.0.0.1:9", headers={"Authorization": TOKEN}),
)


@pytest.fixture(scope="module")
def ask(postgres, tmp_path_factory):
    folder = tmp_path_factory.mktemp("tools")
    toolbox = a_toolbox(*CONNECTIONS)
    with a_database(postgres, "test_tools") as database, an_application(database, folder, toolbox=toolbox) as app:
        yield Tenant(Caller(cast("App", app)), "acme")


def looked_at(ask, name, value, **rest):
    tool, action = name.split(".")
    body = {"input": value, **({"context": CONTEXT} if rest.pop("placed", True) else {})}
    return ask("POST", f"/v1/tools/{tool}/actions/{action}:validate", body, **{"role": "operator", **rest})


def code(answer):
    return (answer.status_code, answer.json()["code"])


def test_one_tool_is_shown_as_in_the_list(ask):
    listed = {each["tool"]: each for each in ask("GET", "/v1/tools").json()["data"]}

    shown = ask("GET", "/v1/tools/kubectl", role="viewer")

    assert (shown.json(), bool(shown.headers["etag"])) == (listed["kubectl"], True)
    assert code(ask("GET", "/v1/tools/nothing")) == (404, "tool-not-found")


def test_a_use_is_explained_and_its_program_is_shown(ask):
    said = looked_at(ask, "kubectl.scale", SCALE).json()

    assert (said["valid"], said["faults"], said["effect"], said["risk"]) == (True, [], "write", "medium")
    assert said["risk_reasons"] == ["more than twenty replicas is a large change"]
    assert (said["unbounded"], len(said["targets"])) == (False, 1)
    assert said["undo"] == {"reversibility": "reversible", "action": "scale", "captured_by": "get_scale", "input": None}
    assert said["not_rendered"] is None
    program = said["rendered"]
    assert (program["kind"], program["program"], program["arguments"][2]) == ("program", "kubectl", "scale")
    assert {"--replicas=50", "--namespace=shop"} <= set(program["arguments"])
    assert program["environment"] == ["KUBECONFIG", "KUBE_TOKEN"]


def test_the_example_of_every_action_is_right_and_can_be_looked_at(ask):
    for tool in ask("GET", "/v1/tools").json()["data"]:
        for action in tool["actions"]:
            said = looked_at(ask, f"{tool['tool']}.{action['name']}", action["example"]).json()
            assert said["valid"], said


def test_every_fault_is_told_with_its_place(ask):
    said = looked_at(ask, "kubectl.scale", {"resource": "pod/x", "replicas": "many", "speed": 1})

    assert said.status_code == 200
    told = said.json()
    assert (told["valid"], told["risk"], told["rendered"]) == (False, None, None)
    assert {each["pointer"] for each in told["faults"]} == {"/input/resource", "/input/replicas", "/input/speed"}


def test_what_the_place_forbids_is_a_fault(ask):
    (fault,) = looked_at(ask, "kubectl.scale", {**SCALE, "namespace": "other"}).json()["faults"]

    assert fault["code"] == "refused"


def test_a_request_is_shown_without_any_secret_and_none_is_read(ask):
    value = {
        "mount": "secret",
        "path": "checkout/database",
        "fields": [{"name": "password", "secret": "db"}],
        "version": 1,
    }
    kinds = {each["name"]: each for each in ask("GET", "/v1/tools/vault").json()["actions"]}
    name = next(name for name, each in kinds.items() if "fields" in each["example"])
    given = {**kinds[name]["example"], "fields": value["fields"]}

    said = looked_at(ask, f"vault.{name}", given).json()

    assert said["not_rendered"] is None, said
    request = said["rendered"]
    assert (request["kind"], request["url"].startswith("http://127.0.0.1:9/v1/")) == ("http", True)
    assert request["headers"]["X-Vault-Token"] == "Bearer [redacted]"
    assert json.loads(request["body"])["data"] == {"password": "[redacted]"}


def test_a_secret_that_somebody_wrote_into_an_input_is_not_shown(ask):
    said = looked_at(ask, "kubectl.get", {"resource": "deployment", "label_selector": "token=hunter2hunter2"})

    assert "hunter2" not in json.dumps(said.json().get("rendered"))


def test_without_a_place_or_a_connection_the_rest_is_still_said(ask):
    unplaced = looked_at(ask, "kubectl.scale", SCALE, placed=False).json()
    unconnected = looked_at(ask, "kubectl.scale", SCALE, tenant="rival").json()

    assert (unplaced["valid"], unplaced["not_rendered"]["code"]) == (True, "no-context")
    assert (unconnected["rendered"], unconnected["not_rendered"]["code"]) == (None, "no-connection")
    assert (unconnected["risk"], len(unconnected["targets"])) == ("medium", 1)


@pytest.mark.parametrize("name", ["kubectl.fly", "nothing.scale"])
def test_what_there_is_not_is_not_found(ask, name):
    assert code(looked_at(ask, name, {})) == (404, "tool-not-found")


def test_who_may_plan_nothing_looks_at_no_use(ask):
    assert code(looked_at(ask, "kubectl.scale", SCALE, role="viewer")) == (403, "role-required")
    assert code(looked_at(ask, "kubectl.scale", SCALE, tenant="acme", role="auditor")) == (403, "role-required")


@pytest.mark.parametrize("body", [{"input": []}, {"input": {}, "context": {}}, {"value": {}}])
def test_what_makes_no_sense_is_unprocessable(ask, body):
    answer = ask("POST", "/v1/tools/kubectl/actions/scale:validate", body)

    assert code(answer) == (422, "invalid-request")
