"""The rule that unit tests touch memory alone is held."""

import socket

import pytest
from pytest_socket import SocketBlockedError


def test_a_unit_test_that_opens_a_socket_is_stopped():
    with pytest.raises((SocketBlockedError, UserWarning), match="tried to use socket"):
        socket.socket()
