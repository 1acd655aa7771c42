"""What is deployed to AWS holds together, is what CloudFormation takes, and allows no more than it needs."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from infra.aws.template import REASON, assembled, environment, functions, load, wildcards
from tests.builders.tools import BUILTIN

from carapulse.adapters.oidc.configuration import load_issuers
from carapulse.settings import Settings
from carapulse.tools.connections import Connections

ROOT = Path(__file__).parents[2]
FUNCTIONS = functions()
FED = {name: event["sqs"] for name, each in FUNCTIONS.items() for event in each.get("events", []) if "sqs" in event}
TEMPLATE = assembled()
RESOURCES = TEMPLATE["Resources"]


def allowed(name):
    """Return the statements of a function's role, by what they are for."""
    (policy,) = RESOURCES[FUNCTIONS[name]["role"]]["Properties"]["Policies"]
    return {each["Sid"]: each for each in policy["PolicyDocument"]["Statement"]}


def test_cloudformation_has_nothing_against_the_resources(tmp_path):
    written = tmp_path / "template.json"
    written.write_text(json.dumps(TEMPLATE))

    said = subprocess.run(
        [Path(sys.executable).with_name("cfn-lint"), "--regions", "eu-central-1", "--", written],
        capture_output=True,
        text=True,
        check=False,
    )

    assert (said.stdout, said.stderr, said.returncode) == ("", "", 0)


def test_nothing_is_allowed_with_a_star_that_gives_no_reason():
    assert list(wildcards(TEMPLATE)) == []


def test_a_star_without_a_reason_is_seen():
    wide = {"Sid": "All", "Effect": "Allow", "Action": "sqs:*", "Resource": "*"}
    role = {"Properties": {"Policies": [{"PolicyDocument": {"Statement": [wide]}}]}}

    assert list(wildcards({"Resources": {"R": role}})) == ["R: All: Action", "R: All: Resource"]
    assert list(wildcards({"Resources": {"R": role | {"Metadata": {REASON: {"All": "because"}}}}})) == []


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_function_has_a_role_and_an_alarm_of_its_own(name):
    alarm = RESOURCES[f"{name.capitalize()}ErrorsAlarm"]["Properties"]

    assert FUNCTIONS[name]["role"] == f"{name.capitalize()}Role"
    assert alarm["Dimensions"] == [{"Name": "FunctionName", "Value": {"Ref": f"{name.capitalize()}LambdaFunction"}}]


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_function_may_write_its_own_log_and_no_other(name):
    assert allowed(name)["SayWhatHappens"]["Resource"]["Fn::Sub"].endswith(f"/aws/lambda/carapulse-dev-{name}:*")


@pytest.mark.parametrize("name", FUNCTIONS)
def test_only_who_is_fed_by_a_queue_may_take_from_it(name):
    taking = allowed(name).get("TakeMessages", {}).get("Resource")

    assert taking == (FED[name]["arn"] if name in FED else None)


@pytest.mark.parametrize("name", FED)
def test_a_message_stays_hidden_while_its_function_may_work_on_it(name):
    queue = FED[name]["arn"]["Fn::GetAtt"][0]

    assert RESOURCES[queue]["Properties"]["VisibilityTimeout"] > FUNCTIONS[name]["timeout"]
    assert FED[name]["maximumConcurrency"] <= FUNCTIONS[name]["reservedConcurrency"]


@pytest.mark.parametrize("queue", ["Planning", "Approvals", "Executions"])
def test_a_queue_gives_up_later_than_the_functions_do(queue):
    redrive = RESOURCES[f"{queue}Queue"]["Properties"]["RedrivePolicy"]

    assert redrive["maxReceiveCount"] > Settings.model_fields["max_deliveries"].default
    assert redrive["deadLetterTargetArn"] == {"Fn::GetAtt": [f"{queue}DeadLetters", "Arn"]}
    assert f"{queue}DeadLettersAlarm" in RESOURCES


def test_the_environment_names_settings_and_each_queue():
    named = environment() | FUNCTIONS["migrate"]["environment"]
    addresses = json.loads(named["CARAPULSE_QUEUE_ADDRESSES"]["Fn::Sub"])

    assert {each.removeprefix("CARAPULSE_").lower() for each in named} <= set(Settings.model_fields)
    assert addresses == {
        "planning": "${PlanningQueue}",
        "approvals": "${ApprovalsQueue}",
        "executions": "${ExecutionsQueue}",
    }


def test_only_migrate_knows_the_owner_of_the_database():
    knowing = {name for name, each in FUNCTIONS.items() if "OwnerSecret" in json.dumps(each)}

    assert knowing == {"migrate"}
    assert "OwnerSecret" not in json.dumps(environment())


def test_each_file_of_resources_is_part_of_the_deployment():
    included = re.findall(r"infra/aws/(\w+)\.yml", (ROOT / "serverless.yml").read_text())

    assert sorted(included) == sorted(each.stem for each in (ROOT / "infra" / "aws").glob("*.yml"))
    assert all(load(ROOT / "infra" / "aws" / f"{each}.yml")["Resources"] for each in included)


def test_the_example_settings_are_taken():
    example = ROOT / "infra" / "aws" / "example"

    assert load_issuers(example / "issuers.yaml")
    assert Connections.load(example / "connections.yaml", BUILTIN).all
