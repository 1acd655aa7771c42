"""API Gateway's WebSocket API: it holds the sockets, and `@connections` leads to them."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final, Self

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

from carapulse.adapters.aws.calling import answered_by, client_of
from carapulse.live.errors import ConnectionBusy, ConnectionGone, EventTooLarge

_PATIENCE: Final = Config(
    connect_timeout=2,
    read_timeout=3,
    # What came too often is put off by whoever tells clients, not by a client of AWS that waits.
    retries={"mode": "standard", "total_max_attempts": 1},
    max_pool_connections=32,
)


@dataclass(frozen=True)
class ApiGatewayConnections:
    """The sockets of one stage, and the function that tells those who are at their ends."""

    client: Any
    functions: Any
    pusher: str | None

    @classmethod
    def connect(cls, stage: str, pusher: str | None) -> Self:
        """Return the sockets of a stage, by its address; asks nobody yet."""
        client = boto3.client("apigatewaymanagementapi", endpoint_url=stage, config=_PATIENCE)
        return cls(client, client_of("lambda"), pusher)

    def say(self, connection_id: str, text: str) -> None:
        """Send a message; raises ConnectionGone, ConnectionBusy or EventTooLarge."""
        with answered_by("API Gateway"), _told_apart():
            self.client.post_to_connection(ConnectionId=connection_id, Data=text.encode())

    def drop(self, connection_id: str) -> None:
        """Close a socket; one that is not there is closed."""
        with answered_by("API Gateway"):
            try:
                self.client.delete_connection(ConnectionId=connection_id)
            except ClientError as error:
                if _code(error) != "GoneException":
                    raise

    def wake(self) -> None:
        """Let the function run that tells clients, without waiting for it."""
        with answered_by("Lambda"):
            self.functions.invoke(FunctionName=self.pusher, InvocationType="Event", Payload=b"{}")


@contextmanager
def _told_apart() -> Iterator[None]:
    try:
        yield
    except ClientError as error:
        match _code(error):
            case "GoneException":
                raise ConnectionGone("the gateway doesn't hold this connection any more") from error
            case "LimitExceededException":
                raise ConnectionBusy("the gateway takes nothing more for this connection now") from error
            case "PayloadTooLargeException":
                raise EventTooLarge("the gateway takes no message of this length") from error
            case _:
                raise


def _code(error: ClientError) -> str:
    return str(error.response.get("Error", {}).get("Code"))
