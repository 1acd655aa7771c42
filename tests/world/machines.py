"""AWS Step Functions as emulators keep it: the machine as it is deployed, over the queues of one installation."""

import json
import os
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import boto3
from moto.stepfunctions.parser.asl.parse.asl_parser import AmazonStateLanguageParser
from moto.stepfunctions.parser.asl.parse.preprocessor import Preprocessor
from tests.world.sqs import SqsWorld, an_sqs, queue_of

from carapulse.kernel.message import ORCHESTRATION
from carapulse.orchestration.definition import render

_parse = AmazonStateLanguageParser.parse
_ROLE = "arn:aws:iam::123456789012:role/machine"


@dataclass
class MachineWorld:
    """The queues, and the machine that sends to them."""

    queues: SqsWorld
    client: Any
    arn: str
    forgotten: set[str] = field(default_factory=set)

    def settings(self) -> dict[str, Any]:
        """Return what an installation must be told."""
        return {
            "queue": "sqs",
            "queue_addresses": self.queues.addresses,
            "orchestrator": "step-functions",
            "state_machine": self.arn,
        }

    def executions(self) -> list[str]:
        """Return the ARN of every machine that was started, the newest first."""
        started = self.client.list_executions(stateMachineArn=self.arn)["executions"]
        return [each["executionArn"] for each in started if each["executionArn"] not in self.forgotten]

    def forget(self) -> None:
        """Stop and forget every machine, and throw away what lies in the queues; to deploy anew takes seconds."""
        for arn in self.executions():
            if self.status(arn) == "RUNNING":
                self.client.stop_execution(executionArn=arn)
            self.forgotten.add(arn)
        for address in self.queues.addresses.values():
            self.queues.client.delete_queue(QueueUrl=address)  # a queue may be emptied but once a minute
            self.queues.client.delete_queue(QueueUrl=f"{address}-dead")
            queue_of(self.queues.client, address.rpartition("/")[2])

    def status(self, arn: str) -> str:
        return str(self.client.describe_execution(executionArn=arn)["status"])

    def entered(self, arn: str) -> list[str]:
        """Return the states that a machine has entered, in order."""
        events: list[dict[str, Any]] = []
        given: dict[str, Any] = {"executionArn": arn, "maxResults": 1000}
        while True:
            page = self.client.get_execution_history(**given)
            events += page["events"]
            if not page.get("nextToken"):
                break
            given["nextToken"] = page["nextToken"]
        return [each["stateEnteredEventDetails"]["name"] for each in events if "stateEnteredEventDetails" in each]


def deployed(queues: SqsWorld, name: str) -> MachineWorld:
    """Deploy the machine over the queues of an installation, as CloudFormation does, wherever the environment says."""
    client = boto3.client("stepfunctions")
    definition = render()
    for resource, queue in (("ExecutionsQueue", "executions"), ("OrchestrationQueue", ORCHESTRATION)):
        definition = definition.replace(f"${{{resource}}}", queues.addresses[queue])
    made = client.create_state_machine(name=name, definition=definition, roleArn=_ROLE)
    return MachineWorld(queues, client, made["stateMachineArn"])


@contextmanager
def a_machine(installation: str) -> Iterator[MachineWorld]:
    """Serve queues and a machine that moto runs, until the test is done with them."""
    with an_sqs(installation) as queues:
        queues.addresses[ORCHESTRATION] = queue_of(queues.client, f"{installation}-{ORCHESTRATION}")
        _let_machines_run(queues.environment["AWS_ENDPOINT_URL"])
        os.environ["MOTO_PORT"] = queues.environment["AWS_ENDPOINT_URL"].rpartition(":")[2]  # where its machines ask
        yield deployed(queues, installation)


def _let_machines_run(address: str) -> None:
    body = json.dumps({"stepfunctions": {"execute_state_machine": True}}).encode()
    with urllib.request.urlopen(urllib.request.Request(f"{address}/moto-api/config", data=body, method="POST")):
        pass


@cache
def _tree(definition: str) -> Any:
    return _parse(definition)[1]


def _parse_once(definition: str) -> tuple[Any, Any]:
    return Preprocessor().visit(_tree(definition)), _tree(definition)


# For each execution moto parses the definition anew, which takes half a second; what it makes of the tree is made anew.
AmazonStateLanguageParser.parse = staticmethod(_parse_once)  # type: ignore[method-assign]
