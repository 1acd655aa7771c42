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


@pytest.mark.parametrize(
    ("resource", "seen"),
    [
        ("arn:aws:s3:::*", True),
        ({"Fn::Sub": "arn:${AWS::Partition}:sqs:*:*:*"}, True),
        ({"Fn::Sub": "arn:${AWS::Partition}:sqs:${AWS::Region}:*:Planning"}, True),
        ({"Fn::Sub": "arn:${AWS::Partition}:lambda:${AWS::Region}:${AWS::AccountId}:function:*"}, True),
        ({"Fn::Join": ["", ["arn:aws:sqs:", "*"]]}, True),
        ({"Fn::Sub": "${Blobs.Arn}/sha256/*"}, False),
        ({"Fn::GetAtt": ["Queue", "Arn"]}, False),
    ],
)
def test_a_resource_with_a_star_that_names_nothing_is_seen(resource, seen):
    statement = {"Sid": "Wide", "Effect": "Allow", "Action": "sqs:SendMessage", "Resource": [resource]}
    role = {"Properties": {"Policies": [{"PolicyDocument": {"Statement": statement}}]}}

    assert list(wildcards({"Resources": {"R": role}})) == ["R: Wide: Resource"] * seen


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


@pytest.mark.parametrize(
    "queue", ["Planning", "Approvals", "Collection", "Executions", "Notifications", "Orchestration"]
)
def test_a_queue_gives_up_later_than_the_functions_do(queue):
    redrive = RESOURCES[f"{queue}Queue"]["Properties"]["RedrivePolicy"]

    assert redrive["maxReceiveCount"] > Settings.model_fields["max_deliveries"].default
    assert redrive["deadLetterTargetArn"] == {"Fn::GetAtt": [f"{queue}DeadLetters", "Arn"]}
    assert f"{queue}DeadLettersAlarm" in RESOURCES


def test_the_environment_names_settings_and_each_queue():
    named = environment()
    for each in FUNCTIONS.values():
        named |= each.get("environment", {})
    addresses = json.loads(named["CARAPULSE_QUEUE_ADDRESSES"]["Fn::Sub"])

    assert {each.removeprefix("CARAPULSE_").lower() for each in named} <= set(Settings.model_fields)
    assert addresses == {
        "planning": "${PlanningQueue}",
        "approvals": "${ApprovalsQueue}",
        "collection": "${CollectionQueue}",
        "executions": "${ExecutionsQueue}",
        "notifications": "${NotificationsQueue}",
        "orchestration": "${OrchestrationQueue}",
    }


def test_only_migrate_knows_the_owner_of_the_database():
    told = {name for name, each in FUNCTIONS.items() if "MasterUserSecret" in json.dumps(each)}
    allowed_to = {name for name in FUNCTIONS if "MasterUserSecret" in json.dumps(allowed(name))}

    assert told == allowed_to == {"migrate"}
    assert "MasterUserSecret" not in json.dumps(environment())


def test_no_secret_stands_in_the_template_or_in_an_environment():
    assert "resolve:secretsmanager" not in json.dumps(TEMPLATE)


def test_both_passwords_of_the_database_rotate():
    rotation, database = RESOURCES["AppSecretRotation"]["Properties"], RESOURCES["Database"]["Properties"]

    assert rotation["SecretId"] == {"Ref": "AppSecret"}
    assert (rotation["RotateImmediatelyOnUpdate"], database["ManageMasterUserPassword"]) == (False, True)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_function_reads_the_secrets_that_it_needs_to_start_and_no_others(name):
    both = [{"Ref": "SealingSecret"}, {"Ref": "AppSecret"}]
    owner = [{"Fn::GetAtt": ["Database", "MasterUserSecret.SecretArn"]}] if name == "migrate" else []

    assert allowed(name)["ReadSecrets"]["Action"] == "secretsmanager:GetSecretValue"
    assert allowed(name)["ReadSecrets"]["Resource"] == both + owner


def test_only_who_makes_checkpoints_may_sign():
    signing = {name for name in FUNCTIONS if "kms:Sign" in json.dumps(allowed(name))}

    assert signing == {"api", "scheduler"}
    assert RESOURCES["EvidenceKey"]["Properties"]["KeySpec"] == "ECC_NIST_EDWARDS25519"


def test_nobody_may_delete_what_is_evidence_and_only_the_minute_may_delete_a_blob():
    actions = {name: {sid: each["Action"] for sid, each in allowed(name).items()} for name in FUNCTIONS}
    deleting = {(name, sid) for name, each in actions.items() for sid in each if "Delete" in str(each[sid])}
    buckets = {pair for pair in deleting if "s3:" in str(actions[pair[0]][pair[1]])}

    assert buckets == {("scheduler", "ForgetOldBlobs")}
    assert allowed("scheduler")["ForgetOldBlobs"]["Resource"] == {"Fn::Sub": "${Blobs.Arn}/sha256/*"}
    assert "BypassGovernance" not in json.dumps(TEMPLATE)


@pytest.mark.parametrize("name", ["Blobs", "Evidence"])
def test_a_bucket_is_closed_encrypted_versioned_and_outlives_its_stack(name):
    bucket, rules = RESOURCES[name], RESOURCES[f"{name}Policy"]["Properties"]["PolicyDocument"]["Statement"]
    told = bucket["Properties"]
    (encrypted,) = told["BucketEncryption"]["ServerSideEncryptionConfiguration"]

    assert set(told["PublicAccessBlockConfiguration"].values()) == {True}
    assert encrypted["ServerSideEncryptionByDefault"]["KMSMasterKeyID"] == {"Fn::GetAtt": ["StorageKey", "Arn"]}
    assert (told["VersioningConfiguration"]["Status"], bucket["DeletionPolicy"]) == ("Enabled", "Retain")
    assert [each["Condition"] for each in rules] == [{"Bool": {"aws:SecureTransport": "false"}}]


def test_evidence_is_locked_unless_somebody_says_for_how_long_otherwise():
    lock = RESOURCES["Evidence"]["Properties"]["ObjectLockConfiguration"]["Rule"]["DefaultRetention"]

    assert lock == {"Mode": {"Ref": "EvidenceLockMode"}, "Days": {"Ref": "EvidenceLockDays"}}
    assert "ObjectLockConfiguration" not in RESOURCES["Blobs"]["Properties"]


def test_functions_reach_what_they_need_of_amazon_without_leaving_the_network():
    services = {
        each["Properties"]["ServiceName"]["Fn::Sub"].rpartition(".")[2]
        for each in RESOURCES.values()
        if each["Type"] == "AWS::EC2::VPCEndpoint"
    }

    assert services == {"sqs", "secretsmanager", "kms", "s3", "states"}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_function_has_a_bound_of_its_own_and_alarms_before_it_is_reached(name):
    alarms = [RESOURCES[f"{name.capitalize()}{each}Alarm"]["Properties"] for each in ("Throttles", "Duration")]
    who = [{"Name": "FunctionName", "Value": {"Ref": f"{name.capitalize()}LambdaFunction"}}]

    assert FUNCTIONS[name]["reservedConcurrency"] > 0
    assert [each["Dimensions"] for each in alarms] == [who, who]
    assert alarms[1]["Threshold"] == FUNCTIONS[name]["timeout"] * 900


def test_one_function_may_tell_clients_and_at_one_api_alone():
    telling = {name for name in FUNCTIONS if "ManageConnections" in json.dumps(allowed(name))}
    statement = allowed("pusher")["TellClients"]

    assert telling == {"pusher"}
    assert all("${LiveApi}/live/" in each["Fn::Sub"] for each in statement["Resource"])


def test_every_socket_and_every_message_comes_to_the_function_and_no_ticket_to_a_log():
    routes = [each["Properties"] for each in RESOURCES.values() if each["Type"] == "AWS::ApiGatewayV2::Route"]
    stage = RESOURCES["LiveStage"]["Properties"]
    environments = [FUNCTIONS[name]["environment"]["CARAPULSE_LIVE_GATEWAY"] for name in ("live", "pusher")]

    assert {each["RouteKey"] for each in routes} == {"$connect", "$disconnect", "$default"}
    assert {each["Target"]["Fn::Sub"] for each in routes} == {"integrations/${LiveIntegration}"}
    assert stage["DefaultRouteSettings"]["ThrottlingRateLimit"] > 0
    assert not stage["DefaultRouteSettings"]["DataTraceEnabled"]
    assert "query" not in stage["AccessLogSettings"]["Format"].lower()
    assert {each["Fn::Sub"].rpartition("/")[2] for each in environments} == {stage["StageName"]}


def test_each_log_is_kept_for_as_long_as_was_said():
    logs = [each["Properties"] for each in RESOURCES.values() if each["Type"] == "AWS::Logs::LogGroup"]

    assert [each["RetentionInDays"] for each in logs] == [90, 90, 90, 90]
    assert "logRetentionInDays: 90" in (ROOT / "serverless.yml").read_text()


def test_each_file_of_resources_is_part_of_the_deployment():
    included = re.findall(r"infra/aws/(\w+)\.yml", (ROOT / "serverless.yml").read_text())

    assert sorted(included) == sorted(each.stem for each in (ROOT / "infra" / "aws").glob("*.yml"))
    assert all(load(ROOT / "infra" / "aws" / f"{each}.yml")["Resources"] for each in included)


def test_the_example_settings_are_taken():
    example = ROOT / "infra" / "aws" / "example"

    assert load_issuers(example / "issuers.yaml")
    assert Connections.load(example / "connections.yaml", BUILTIN).all
