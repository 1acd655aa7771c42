"""The HTTP server of the program, on a real socket."""

import socket
from contextlib import suppress
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlsplit

from carapulse.runtime.serving import serve_http
from carapulse.settings import Settings


async def answering_whether_it_sends_at_once(scope, receive, send):
    """Answer what the option says of the very connection that asks."""
    if scope["type"] != "http":
        return
    said = [str(each) for each in whether_connections_send_at_once(scope["client"])]
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": ",".join(said).encode()})


def whether_connections_send_at_once(client):
    for each in Path("/proc/self/fd").iterdir():
        with suppress(OSError), socket.fromfd(int(each.name), socket.AF_INET, socket.SOCK_STREAM) as found:
            if found.getpeername() == client:
                yield found.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) != 0


def test_an_answer_is_sent_at_once_instead_of_waiting_for_the_caller_to_acknowledge_its_head():
    stop, url = serve_http(answering_whether_it_sends_at_once, Settings(port=0))
    connection = HTTPConnection(urlsplit(url).netloc)
    connection.request("GET", "/")

    said = connection.getresponse().read()

    connection.close()
    stop()
    assert said == b"True"
