"""Bytes that no client of ours sends: each gets an answer of the caller's fault, and the next request works."""

import socket
import time
from contextlib import suppress

import pytest

HEADERS = [
    b"Authorization",
    b"Accept",
    b"Accept-Encoding",
    b"Content-Encoding",
    b"Content-Length",
    b"Content-Type",
    b"Last-Event-ID",
    b"Origin",
    b"Prefer",
    b"traceparent",
    b"X-Forwarded-For",
    b"X-Tenant-Id",
]
VALUES = [
    b"\xff\xfe\xc3(",
    "日本語, ключ".encode(),
    b"a\x00b",
    b"a\x7f\x1bb",
    b';;=,,""==;q=;q=x',
    b'"' * 2000,
    b"," * 5000,
    b"9" * 5000,
]


def raw(port, data):
    """Send bytes as they are, and return the first line of the answer; empty if the server just hung up."""
    with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
        try:
            connection.sendall(data)
            connection.shutdown(socket.SHUT_WR)
            return connection.recv(65536).partition(b"\r\n")[0].decode()
        except OSError:
            return ""


def a_request(client, line=b"GET /v1/executions/x/logs", *headers):
    authorization = b"Authorization: Bearer " + client.token("admin").encode()
    return b"\r\n".join([line + b" HTTP/1.1", b"Host: x", b"Connection: close", authorization, *headers, b"", b""])


def status_of(client, data):
    answer = raw(client.port, data)
    return int(answer.split()[1]) if answer else 0


def still_works(client):
    return client.ask("GET", "/v1/me").status_code == 200


@pytest.mark.parametrize("name", HEADERS)
@pytest.mark.parametrize("value", VALUES, ids=lambda value: repr(value[:12]))
def test_a_header_of_any_bytes_is_the_caller_s_fault(client, name, value):
    for line in (b"GET /v1/executions/x/logs", b"POST /v1/plans"):
        assert status_of(client, a_request(client, line, name + b": " + value)) < 500

    assert still_works(client)


@pytest.mark.parametrize("headers", [[b"X-%d: y" % number for number in range(3000)], [b"X: " + b"y" * 200_000]])
def test_headers_without_end_are_refused(client, headers):
    assert status_of(client, a_request(client, b"GET /v1/me", *headers)) in {0, 400, 431}
    assert still_works(client)


@pytest.mark.parametrize(
    "target",
    [
        b"/v1/plans?limit=%ff",
        b"/v1/plans?limit=%C3%28",
        b"/v1/plans?limit=1&limit=2",
        b"/v1/plans?%ff=1",
        b"/v1/plans?limit=%0d%0aX:1",
        b"/v1/plans?" + b"a=b&" * 5000,
        b"/v1/plans?limit=" + b"9" * 5000,
        b"/v1/executions/%C0%AE%C0%AE/logs",
        b"/v1/executions/" + b"%2e%2e%2f" * 1000 + b"/logs",
        b"/v1/../../etc/passwd",
        b"/v1/plans\xff\xfe",
        b"/v1//plans",
        b"http://x/v1/me",
        b"*",
        b"/" + b"a" * 100_000,
    ],
    ids=lambda target: repr(target[:24]),
)
def test_an_address_of_any_bytes_is_the_caller_s_fault(client, target):
    for method in (b"GET", b"HEAD", b"POST", b"OPTIONS"):
        assert status_of(client, a_request(client, method + b" " + target)) < 500

    assert still_works(client)


@pytest.mark.parametrize(
    "data",
    [
        b"\x16\x03\x01\x02\x00\x01\x00",
        b"GET\r\n\r\n",
        b"\x00" * 1000,
        b"POST /v1/plans HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"POST /v1/plans HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nContent-Length: 7\r\n\r\nabc",
        b"POST /v1/plans HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
    ],
    ids=repr,
)
def test_what_is_no_request_is_refused(client, data):
    assert status_of(client, data) in {0, 400, 401}
    assert still_works(client)


def test_a_body_that_drips_is_given_up_in_time_while_others_are_served(client):
    head = a_request(client, b"POST /v1/plans", b"Content-Type: application/json", b"Content-Length: 90000")
    began = time.monotonic()
    with socket.create_connection(("127.0.0.1", client.port), timeout=5) as connection:
        connection.sendall(head)
        with suppress(BrokenPipeError, ConnectionResetError):  # the answer may be there before we know of it
            while time.monotonic() - began < 0.4:
                connection.sendall(b" ")
                assert still_works(client)
        answer = connection.recv(65536)

    assert answer.startswith(b"HTTP/1.1 408")
