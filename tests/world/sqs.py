"""SQS as moto keeps it, behind a real port: queues for one installation, each with dead letters of its own."""

import json
import logging
import os
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import boto3
from moto.server import ThreadedMotoServer

from carapulse.adapters.aws.sqs import Sqs
from carapulse.kernel.message import QUEUES

NOBODY = {"AWS_ACCESS_KEY_ID": "nobody", "AWS_SECRET_ACCESS_KEY": "nothing", "AWS_DEFAULT_REGION": "eu-central-1"}
GIVEN_UP_AFTER = 3


@dataclass
class SqsWorld:
    """The queues, and what lies in them."""

    client: Any
    addresses: dict[str, str]
    server: ThreadedMotoServer
    environment: dict[str, str]
    name = "sqs"

    def broker(self) -> Sqs:
        return Sqs.connect(self.addresses)

    def put(self, queue: str, text: str) -> None:
        """Put a text into a queue, as anybody might who may write to it."""
        self.client.send_message(QueueUrl=self.addresses[queue], MessageBody=text)

    def dead_letters(self, queue: str) -> list[str]:
        answer = self.client.receive_message(QueueUrl=f"{self.addresses[queue]}-dead", MaxNumberOfMessages=10)
        return [each["Body"] for each in answer.get("Messages", ())]

    def away(self) -> None:
        """Let nobody answer any more."""
        self.server.stop()


@contextmanager
def an_sqs(installation: str):
    """Serve queues until the test is done with them."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    environment = NOBODY | {"AWS_ENDPOINT_URL": f"http://{host}:{port}"}
    os.environ |= environment
    client = boto3.client("sqs")
    try:
        addresses = {queue: _queue(client, f"{installation}-{queue}") for queue in QUEUES}
        yield SqsWorld(client, addresses, server, environment)
    finally:
        server.stop()
        del os.environ["AWS_ENDPOINT_URL"]


def _queue(client: Any, name: str) -> str:
    dead = client.create_queue(QueueName=f"{name}-dead")["QueueUrl"]
    arn = client.get_queue_attributes(QueueUrl=dead, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    redrive = {"deadLetterTargetArn": arn, "maxReceiveCount": GIVEN_UP_AFTER}
    made: str = client.create_queue(QueueName=name, Attributes={"RedrivePolicy": json.dumps(redrive)})["QueueUrl"]
    return made
