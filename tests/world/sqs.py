"""SQS as moto keeps it, behind a real port: queues for one installation, each with dead letters of its own."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import boto3
from moto.server import ThreadedMotoServer
from tests.world.aws import an_amazon, where

from carapulse.adapters.aws.sqs import Sqs
from carapulse.kernel.message import QUEUES

GIVEN_UP_AFTER = 3


@dataclass
class SqsWorld:
    """The queues, and what lies in them."""

    client: Any
    addresses: dict[str, str]
    server: ThreadedMotoServer | None
    environment: dict[str, str]
    name = "sqs"
    counts_deliveries = True

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
        assert self.server is not None, "only moto's server can be stopped by a test"
        self.server.stop()


@contextmanager
def an_sqs(installation: str) -> Iterator[SqsWorld]:
    """Serve queues until the test is done with them."""
    with an_amazon() as server:
        client = boto3.client("sqs")
        addresses = {queue: queue_of(client, f"{installation}-{queue}") for queue in QUEUES}
        yield SqsWorld(client, addresses, server, where(server))


def queue_of(client: Any, name: str) -> str:
    """Make a queue and its dead letters, and return its address."""
    dead = client.create_queue(QueueName=f"{name}-dead")["QueueUrl"]
    arn = client.get_queue_attributes(QueueUrl=dead, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    redrive = {"deadLetterTargetArn": arn, "maxReceiveCount": GIVEN_UP_AFTER}
    made: str = client.create_queue(QueueName=name, Attributes={"RedrivePolicy": json.dumps(redrive)})["QueueUrl"]
    return made
