"""The web client, against servers that misbehave."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from tests.builders.tools import Reply, a_certificate, a_server

from carapulse.adapters.web.client import HttpxWeb
from carapulse.tools.errors import EgressRefused, ToolUnavailable
from carapulse.tools.ports import CANCELLED, Answer, Request


def send(
    url: str,
    *,
    may_reach: set[str] | None = None,
    deadline_s: float = 5,
    cancelled: threading.Event | None = None,
    **fields: Any,
) -> Answer:
    own = url.split("/")[2]
    request = Request(
        method=fields.pop("method", "GET"),
        url=url,
        may_reach=frozenset(may_reach if may_reach is not None else {own}),
        **fields,
    )
    return HttpxWeb().send(request, cancelled=cancelled or threading.Event(), deadline_s=deadline_s)


@contextmanager
def a_wire(answer: Callable[[socket.socket], None]) -> Iterator[str]:
    """Accept one connection and do with it what the test wants."""
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve() -> None:
            try:
                connection, _ = listening.accept()
            except OSError:
                return
            with connection:
                answer(connection)

        thread = threading.Thread(target=serve)
        thread.start()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}/"
        listening.shutdown(socket.SHUT_RDWR)
        thread.join()


def drip(connection: socket.socket) -> None:
    connection.recv(1000)
    try:
        connection.sendall(b"HTTP/1.1 200 OK\r\nX: ")
        for _ in range(200):
            connection.sendall(b"a")
            time.sleep(0.05)
    except OSError:
        return


def hang(connection: socket.socket) -> None:
    connection.settimeout(20)
    while connection.recv(1000):
        continue


def drop(connection: socket.socket) -> None:
    connection.recv(1000)


def test_the_request_arrives_as_it_was_made():
    with a_server({("POST", "/a%20b"): Reply({"ok": 1}, 201)}) as server:
        answer = send(f"{server.url}/a%20b?q=1", method="POST", body=b"x=1", headers=(("X-A", "b"),))

    assert (answer.status, answer.body) == (201, b'{"ok": 1}')
    assert (server.last.method, server.last.query, server.last.body, server.last.headers["x-a"]) == (
        "POST",
        {"q": "1"},
        b"x=1",
        "b",
    )
    assert server.last.headers["host"] == server.url.removeprefix("http://")


def test_a_name_is_reached_and_keeps_its_host_header():
    with a_server({("GET", "/"): Reply({})}) as server:
        answer = send(f"http://localhost:{server.port}/")

    assert (answer.status, server.last.headers["host"]) == (200, f"localhost:{server.port}")


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1"])
def test_a_certificate_is_checked_against_the_name_although_the_address_is_pinned(tmp_path: Path, host: str):
    certificate = a_certificate(tmp_path)
    with a_server({("GET", "/"): Reply({})}, certificate) as server:
        url = f"https://{host}:{server.port}/"

        assert send(url, ca_file=str(certificate)).status == 200
        with pytest.raises(ToolUnavailable):
            send(url)


def test_a_certificate_of_another_name_is_not_believed(tmp_path: Path):
    certificate = a_certificate(tmp_path)
    with a_server({("GET", "/"): Reply({})}, certificate) as server, pytest.raises(ToolUnavailable):
        send(f"https://127.1:{server.port}/", ca_file=str(certificate))


def test_a_redirect_is_not_followed():
    with a_server({("GET", "/"): Reply(None, 302, {"Location": "/secret"})}) as server:
        answer = send(f"{server.url}/")

    assert (answer.status, len(server.exchanges)) == (302, 1)


def test_proxies_of_the_environment_are_not_used(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    with a_server({("GET", "/"): Reply({})}) as server:
        assert send(f"{server.url}/").status == 200


@pytest.mark.parametrize("url", ["http://127.0.0.1:1/", "http://localhost:9/x", "https://127.0.0.1/"])
def test_an_address_that_is_not_listed_is_refused(url: str):
    with pytest.raises(EgressRefused):
        send(url, may_reach={"127.0.0.1:80"})


@pytest.mark.parametrize(
    "host", ["2852039166", "0xa9fea9fe", "[::ffff:a9fe:a9fe]", "0", "[fe80:0::1]", "1684301000", "3758096385"]
)
def test_a_listed_name_that_leads_to_an_address_not_for_tools_is_refused(host: str):
    with pytest.raises(EgressRefused, match="not for tools"):
        send(f"http://{host}:80/", may_reach={f"{host}:80"})


def test_a_refused_connection_sent_nothing():
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]

    with pytest.raises(ToolUnavailable):
        send(f"http://127.0.0.1:{port}/")


def test_a_name_that_does_not_exist_sent_nothing():
    with pytest.raises(ToolUnavailable, match="resolved"):
        send("http://no-such-name.invalid/", may_reach={"no-such-name.invalid:80"}, deadline_s=20)


@pytest.mark.parametrize("misbehave", [hang, drip])
def test_the_deadline_holds_for_the_whole_exchange(misbehave: Callable[[socket.socket], None]):
    with a_wire(misbehave) as url:
        began = time.monotonic()
        answer = send(url, deadline_s=0.5)

        assert (answer.status, answer.sent) == (None, True)
        assert answer.lost
        assert time.monotonic() - began < 1.5


def test_a_cancel_ends_the_exchange():
    cancelled = threading.Event()
    threading.Timer(0.3, cancelled.set).start()

    with a_wire(hang) as url:
        answer = send(url, cancelled=cancelled, deadline_s=20)

    assert (answer.lost, answer.sent) == (CANCELLED, True)


def test_a_connection_lost_after_sending_is_told_apart_from_one_never_made():
    with a_wire(drop) as url:
        answer = send(url, method="POST", body=b"x")

    assert (answer.status, answer.sent) == (None, True)
    assert answer.lost


def test_a_large_body_is_cut_and_said_to_be():
    with a_server({("GET", "/"): Reply(b"x" * 5_000_000)}) as server:
        answer = send(f"{server.url}/", answer_bytes=1000)

    assert (len(answer.body), answer.truncated) == (1000, True)


def test_a_body_of_just_the_allowed_size_is_whole():
    with a_server({("GET", "/"): Reply(b"x" * 1000)}) as server:
        answer = send(f"{server.url}/", answer_bytes=1000)

    assert (len(answer.body), answer.truncated) == (1000, False)


def test_a_compressed_body_nobody_asked_for_is_not_believed():
    with a_server({("GET", "/"): Reply(b"\x1f\x8b", 200, {"Content-Encoding": "gzip"})}) as server:
        answer = send(f"{server.url}/")

    assert (answer.body, answer.truncated) == (b"", True)
