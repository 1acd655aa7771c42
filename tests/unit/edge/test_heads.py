"""The head of an answer that never ends."""

import anyio

from carapulse.runtime.http.heads import Heads


def test_the_head_of_an_endless_answer_ends_it_whatever_the_server_says():
    sent, ended = [], []

    async def endless(scope, receive, send):
        try:
            await send({"type": "http.response.start", "status": 200, "headers": []})
            while True:
                await send({"type": "http.response.body", "body": b"x", "more_body": True})
                await anyio.sleep(0.01)
        finally:
            ended.append(scope["method"])

    async def send(message):
        sent.append(message)

    async def ask():
        with anyio.fail_after(2):
            await Heads(endless)({"type": "http", "method": "HEAD", "path": "/v1/x"}, None, send)  # type: ignore[arg-type]

    anyio.run(ask)

    assert ended == ["GET"]
    assert [each.get("body") for each in sent] == [None, b""]
