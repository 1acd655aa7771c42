"""Calls of Amazon's services: how long they may take, and how their errors leave."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from carapulse.kernel.errors import Unavailable

_LONGEST_POLL_S: Final = 25
_PATIENCE = Config(
    connect_timeout=3, read_timeout=_LONGEST_POLL_S, retries={"mode": "standard", "total_max_attempts": 3}
)


def client_of(service: str, patience: Config = _PATIENCE) -> Any:  # noqa: ANN401 - boto3 makes the types of its clients at run time
    """Return a client; it asks nobody yet."""
    return boto3.client(service, config=patience)


@contextmanager
def answered_by(service: str) -> Iterator[None]:
    """Let Amazon's errors leave as Unavailable, with Amazon's own name for them."""
    try:
        yield
    except ClientError as error:
        said = error.response.get("Error", {})
        raise Unavailable(f"{service} refused", code=said.get("Code"), said=said.get("Message")) from error
    except BotoCoreError as error:
        raise Unavailable(f"{service} did not answer", kind=type(error).__name__) from error
