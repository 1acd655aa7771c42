"""Unit tests touch memory alone: whoever opens a socket in one is stopped."""

from collections.abc import Iterator

import pytest
from pytest_socket import disable_socket, enable_socket


@pytest.fixture(autouse=True)
def memory_alone() -> Iterator[None]:
    """Refuse sockets but the pairs that an event loop wakes itself by."""
    disable_socket(allow_unix_socket=True)
    yield
    enable_socket()
