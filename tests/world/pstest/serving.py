"""Google's fake, with a topic and a subscription for each queue. It knows no dead letters, and pushes nothing."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import pytest
from google.cloud.pubsub_v1 import PublisherClient, SubscriberClient
from google.pubsub_v1 import PublisherClient as OneRequest
from google.pubsub_v1 import PubsubMessage
from tests.world.pstest.building import PROGRAM, build, installed
from tests.world.pubsub import found_at

from carapulse.adapters.gcp.pubsub import PubSub
from carapulse.kernel.message import QUEUES

_DEADLINE_S = 10  # there is no default, and it is the least


@dataclass
class PstestWorld:
    """The topics, and the program that holds them."""

    program: "subprocess.Popen[str]"
    topics: dict[str, str]
    environment: dict[str, str]
    name = "pubsub"
    counts_deliveries = False  # as Pub/Sub does where a subscription has no dead letters

    @property
    def addresses(self) -> dict[str, str]:
        return self.topics

    def broker(self) -> PubSub:
        return PubSub.connect(self.topics)

    def put(self, queue: str, text: str) -> None:
        """Publish a text, as anybody might who may."""
        message = PubsubMessage(data=text.encode())
        OneRequest.publish(PublisherClient(), topic=self.topics[queue], messages=[message])

    def away(self) -> None:
        """Let nobody answer any more."""
        self.program.terminate()
        self.program.wait(10)


@contextmanager
def a_pstest(_installation: str) -> Iterator[PstestWorld]:
    """Serve it until the test is done with it; skip where nobody compiled it and nobody can from what is installed."""
    if not PROGRAM.exists() and not installed():
        pytest.skip("`make pstest` compiles Google's fake of Pub/Sub, from packages of Debian's")
    with subprocess.Popen([str(build())], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as program:
        try:
            assert program.stdout is not None
            environment = {"PUBSUB_EMULATOR_HOST": program.stdout.readline().strip()}
            with found_at(environment):
                yield PstestWorld(program, _made(), environment)
        finally:
            program.terminate()


def _made() -> dict[str, str]:
    topics = {queue: f"projects/p/topics/{queue}" for queue in QUEUES}
    publisher, subscriber = PublisherClient(), SubscriberClient()
    for queue, topic in topics.items():
        publisher.create_topic(name=topic)
        subscription = f"projects/p/subscriptions/{queue}"
        subscriber.create_subscription(name=subscription, topic=topic, ack_deadline_seconds=_DEADLINE_S)
    return topics
