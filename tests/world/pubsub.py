"""Pub/Sub's publisher and subscriber over real gRPC: topics, subscriptions, streams, deadlines, dead letters.

Google ships no server, and its emulator can't be installed from a package registry. What this one does is what the
documentation of `google.pubsub.v1` says; the real client talks to it. `tests/world/pstest` is Google's own fake, which
has to be compiled and does less; what both can do is asked of both in the same words.
"""

import os
import threading
import time
from collections.abc import Callable, Iterator
from concurrent import futures
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from typing import Any

import grpc
from google.protobuf import empty_pb2
from google.pubsub_v1.types import pubsub as messages

from carapulse.adapters.gcp.pubsub import PubSub
from carapulse.kernel.message import QUEUES

GIVEN_UP_AFTER = 5  # the least that Pub/Sub allows
_DEADLINE_S = 10.0
_AT_ONCE = 100


@dataclass
class _Held:
    """One message in a subscription."""

    message: messages.PubsubMessage
    seen_again: float = 0.0
    times: int = 0
    ack_id: str = ""


@dataclass
class FakePubSub:
    """All topics, each with one subscription of the same name; what is given up goes to `dead`."""

    held: dict[str, list[_Held]] = field(default_factory=dict)
    dead: dict[str, list[messages.PubsubMessage]] = field(default_factory=dict)
    _changed: threading.Condition = field(default_factory=threading.Condition)
    _numbers: Any = field(default_factory=lambda: count(1))

    def publish(self, request: messages.PublishRequest, context: Any) -> messages.PublishResponse:
        topic = self._known(request.topic, context)
        ids = []
        with self._changed:
            for each in request.messages:
                each.message_id = str(next(self._numbers))
                ids.append(each.message_id)
                self.held[topic].append(_Held(each))
            self._changed.notify_all()
        return messages.PublishResponse(message_ids=ids)

    def pull(self, request: messages.PullRequest, context: Any) -> messages.PullResponse:
        name = self._known(request.subscription, context)
        with self._changed:
            while context.is_active():
                if taken := self._take(name, request.max_messages):
                    return messages.PullResponse(received_messages=taken)
                self._changed.wait(0.05)
        return messages.PullResponse()

    def streaming_pull(self, requests: Any, context: Any) -> Iterator[messages.StreamingPullResponse]:
        """Bring what is there for as long as the stream is open; the client answers by requests beside it."""
        name = self._known(next(requests).subscription, context)
        while context.is_active():
            with self._changed:
                taken = self._take(name, _AT_ONCE)
                if not taken:
                    self._changed.wait(0.05)
            if taken:
                yield messages.StreamingPullResponse(received_messages=taken)

    def acknowledge(self, request: messages.AcknowledgeRequest, context: Any) -> empty_pb2.Empty:
        name = self._known(request.subscription, context)
        with self._changed:
            self.held[name] = [each for each in self.held[name] if each.ack_id not in request.ack_ids]
        return empty_pb2.Empty()

    def modify(self, request: messages.ModifyAckDeadlineRequest, context: Any) -> empty_pb2.Empty:
        name = self._known(request.subscription, context)
        with self._changed:
            for each in self.held[name]:
                if each.ack_id in request.ack_ids:
                    each.seen_again = time.monotonic() + request.ack_deadline_seconds
            self._changed.notify_all()
        return empty_pb2.Empty()

    def _known(self, path: str, context: Any) -> str:
        name = path.rpartition("/")[2]
        if name not in self.held:
            context.abort(grpc.StatusCode.NOT_FOUND, "no such topic or subscription")
        return name

    def _take(self, name: str, how_many: int) -> list[messages.ReceivedMessage]:
        taken, now = [], time.monotonic()
        for each in [each for each in self.held[name] if each.seen_again <= now][:how_many]:
            if each.times >= GIVEN_UP_AFTER:
                self.held[name].remove(each)
                self.dead.setdefault(name, []).append(each.message)
                continue
            each.times, each.seen_again, each.ack_id = each.times + 1, now + _DEADLINE_S, f"ack-{next(self._numbers)}"
            taken.append(
                messages.ReceivedMessage(ack_id=each.ack_id, message=each.message, delivery_attempt=each.times)
            )
        return taken

    def serve(self) -> tuple[grpc.Server, int]:
        """Serve it on a free port of loopback."""
        server = grpc.server(futures.ThreadPoolExecutor(8))
        publishing = {"Publish": _rpc(self.publish, messages.PublishRequest)}
        receiving = {
            "Pull": _rpc(self.pull, messages.PullRequest),
            "Acknowledge": _rpc(self.acknowledge, messages.AcknowledgeRequest),
            "ModifyAckDeadline": _rpc(self.modify, messages.ModifyAckDeadlineRequest),
            "StreamingPull": _stream(self.streaming_pull, messages.StreamingPullRequest),
        }
        for service, methods in (("Publisher", publishing), ("Subscriber", receiving)):
            handler = grpc.method_handlers_generic_handler(f"google.pubsub.v1.{service}", methods)
            server.add_generic_rpc_handlers((handler,))
        port = server.add_insecure_port("127.0.0.1:0")
        server.start()
        return server, port


def _rpc(answer: Callable[[Any, Any], Any], request: Any) -> Any:
    return grpc.unary_unary_rpc_method_handler(answer, request.deserialize, _spelled)


def _stream(answer: Callable[[Any, Any], Any], request: Any) -> Any:
    return grpc.stream_stream_rpc_method_handler(answer, request.deserialize, _spelled)


def _spelled(value: Any) -> bytes:
    plain: bytes = (value if isinstance(value, empty_pb2.Empty) else type(value).pb(value)).SerializeToString()
    return plain


@dataclass
class PubSubWorld:
    """The topics, and what lies in them."""

    fake: FakePubSub
    server: grpc.Server
    topics: dict[str, str]
    environment: dict[str, str]
    name = "pubsub"
    counts_deliveries = True

    @property
    def addresses(self) -> dict[str, str]:
        return self.topics

    def broker(self) -> PubSub:
        return PubSub.connect(self.topics)

    def put(self, queue: str, text: str) -> None:
        """Publish a text, as anybody might who may."""
        self.fake.held[queue].append(_Held(messages.PubsubMessage(data=text.encode(), message_id="0")))

    def dead_letters(self, queue: str) -> list[str]:
        return [each.data.decode() for each in self.fake.dead.get(queue, ())]

    def away(self) -> None:
        """Let nobody answer any more."""
        self.server.stop(None)


@contextmanager
def a_pubsub(_installation: str):
    """Serve topics until the test is done with them."""
    fake = FakePubSub({queue: [] for queue in QUEUES})
    server, port = fake.serve()
    environment = {"PUBSUB_EMULATOR_HOST": f"127.0.0.1:{port}"}
    try:
        with found_at(environment):
            yield PubSubWorld(fake, server, {queue: f"projects/p/topics/{queue}" for queue in QUEUES}, environment)
    finally:
        server.stop(None)


@contextmanager
def found_at(environment: dict[str, str]) -> Iterator[None]:
    """Let Google's client in this process find a server meanwhile."""
    os.environ |= environment
    try:
        yield
    finally:
        for name in environment:
            del os.environ[name]
