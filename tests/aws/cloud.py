"""An AWS on this machine: MiniStack, which takes the packaged template and runs the functions from the very package."""

import json
import os
import re
import signal
import socket
import subprocess
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import boto3
import httpx
from botocore.exceptions import EndpointConnectionError
from infra.aws.package import BUILT, ZIP

PROGRAM = BUILT / "ministack" / "bin" / "ministack"
TEMPLATES = BUILT / "template"
STACK = "carapulse-dev"
# What MiniStack knows no resource for: the way out of the private subnets, and who rotates a password.
UNKNOWN = {"AWS::EC2::EIP", "AWS::EC2::NatGateway", "AWS::SecretsManager::RotationSchedule"}
_CAPABILITIES = ["CAPABILITY_NAMED_IAM"]


@dataclass
class Cloud:
    """The services, and what was deployed to them."""

    url: str
    left_out: list[str] = field(default_factory=list)

    def client(self, service):
        return boto3.client(
            service,
            endpoint_url=self.url,
            region_name="eu-central-1",
            aws_access_key_id="nobody",
            aws_secret_access_key="nothing",
        )

    def deploy(self):
        """Bring the template up as osls does: first the bucket, then the package into it, then everything."""
        stacks, bucket_of = self.client("cloudformation"), self.client("s3")
        stacks.create_stack(StackName=STACK, TemplateBody=_template("create").read_text(), Capabilities=_CAPABILITIES)
        self._settled(stacks)
        bucket = self.physical("ServerlessDeploymentBucket")
        template = json.loads(_without_owner_secret(_template("update").read_text()))
        self.left_out = _leave_out(template)
        key = template["Resources"]["ApiLambdaFunction"]["Properties"]["Code"]["S3Key"]
        bucket_of.upload_file(str(ZIP), bucket, key)
        bucket_of.put_object(Bucket=bucket, Key="template.json", Body=json.dumps(template))
        where = f"{self.url}/{bucket}/template.json"
        stacks.update_stack(StackName=STACK, TemplateURL=where, Capabilities=_CAPABILITIES)
        self._settled(stacks)

    def _settled(self, stacks):
        for _ in range(200):
            status = stacks.describe_stacks(StackName=STACK)["Stacks"][0]["StackStatus"]
            if not status.endswith("IN_PROGRESS"):
                assert status in {"CREATE_COMPLETE", "UPDATE_COMPLETE"}, status
                return
            time.sleep(0.1)
        raise AssertionError("the stack did not settle")

    def physical(self, name):
        """Return what a resource of the template is called in the cloud."""
        answer = self.client("cloudformation").describe_stack_resource(StackName=STACK, LogicalResourceId=name)
        return answer["StackResourceDetail"]["PhysicalResourceId"]

    def replace_environment(self, name, **changed):
        """Tell a function another value of what this cloud has none of."""
        functions = self.client("lambda")
        given = functions.get_function_configuration(FunctionName=f"{STACK}-{name}")["Environment"]["Variables"]
        assert changed.keys() <= given.keys()
        functions.update_function_configuration(
            FunctionName=f"{STACK}-{name}", Environment={"Variables": {**given, **changed}}
        )

    def invoke(self, name):
        """Invoke a function and return what went wrong, or None."""
        answer = self.client("lambda").invoke(FunctionName=f"{STACK}-{name}", Payload=b"{}")
        return answer["Payload"].read().decode() if answer.get("FunctionError") else None

    def machine(self, plan_id):
        """Return the address of the machine that carries a plan."""
        return f"{self.physical('Machine').replace(':stateMachine:', ':execution:')}:{plan_id}-1"

    def machine_status(self, plan_id):
        """Return how the machine is that carries a plan, None if there is none yet."""
        machines = self.client("stepfunctions")
        try:
            return machines.describe_execution(executionArn=self.machine(plan_id))["status"]
        except machines.exceptions.ExecutionDoesNotExist:
            return None

    def entered(self, plan_id):
        """Return the states that the machine of a plan has entered, in order."""
        given = {"executionArn": self.machine(plan_id), "maxResults": 1000}
        events = self.client("stepfunctions").get_execution_history(**given)["events"]
        return [each["stateEnteredEventDetails"]["name"] for each in events if "stateEnteredEventDetails" in each]

    def api(self):
        """Return a client of the HTTP API."""
        where = f"{self.url}/_aws/execute-api/{self.physical('HttpApi')}/$default"
        return httpx.Client(base_url=where, timeout=60, trust_env=False)

    def sockets(self, scheme):
        """Return the address of the WebSocket API: for clients by `ws`, for whoever tells them by `http`."""
        return f"{self.url}/_aws/execute-api/{self.physical('LiveApi')}/live".replace("http", scheme, 1)

    def holds(self, queue):
        """Return how many messages lie in a queue, seen or not."""
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        answer = self.client("sqs").get_queue_attributes(QueueUrl=self.physical(queue), AttributeNames=names)
        return sum(int(answer["Attributes"][name]) for name in names)


def _template(kind: str) -> Path:
    return TEMPLATES / f"cloudformation-template-{kind}-stack.json"


def _without_owner_secret(text: str) -> str:
    """Put the other role's password where that of the owner would be: RDS makes it, and this cloud doesn't say where."""
    text = text.replace("${Database.MasterUserSecret.SecretArn}", "${AppSecret}")
    return re.sub(
        r'\{\s*"Fn::GetAtt": \[\s*"Database",\s*"MasterUserSecret.SecretArn"\s*\]\s*\}', '{"Ref": "AppSecret"}', text
    )


def _leave_out(template):
    """Take out what this cloud knows no resource for, with what stands on it, and return the names."""
    resources = template["Resources"]
    del template["Transform"]  # what makes the function that rotates
    unknown = {name for name, each in resources.items() if each["Type"] in UNKNOWN}
    standing = {
        name for name, each in resources.items() if any(f'"Ref": "{one}"' in json.dumps(each) for one in unknown)
    }
    for name in unknown | standing:
        del resources[name]
    return sorted(unknown | standing)


@contextmanager
def a_cloud(folder: Path):
    """Serve an AWS on a free port until the test is done with it."""
    assert PROGRAM.exists(), "make e2e-aws installs MiniStack"
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    given = {"PATH": os.environ["PATH"], "HOME": str(folder), "TMPDIR": str(folder), "GATEWAY_PORT": str(port)}
    log = folder / "cloud.log"
    with (
        log.open("wb") as written,
        subprocess.Popen(
            [PROGRAM], env=given, stdout=written, stderr=written, cwd=folder, start_new_session=True
        ) as program,
    ):
        cloud = Cloud(f"http://127.0.0.1:{port}")
        try:
            _ready(cloud)
            yield cloud
        finally:
            os.killpg(program.pid, signal.SIGKILL)  # it and the functions that it runs; there is nothing to keep


def _ready(cloud):
    for _ in range(200):
        try:
            cloud.client("sqs").list_queues()
        except EndpointConnectionError:
            time.sleep(0.1)
        else:
            return
    raise AssertionError("the cloud did not answer")
