"""A client in a process of its own: connections that are kept, and a thread for each."""

import http.client
import json
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

from tests.bench.child import obey

Question = dict[str, Any]


class Client:
    """Asks one server over connections that it keeps."""

    def __init__(self, url: str, most: int) -> None:
        place = urlsplit(url)
        self._connections = [http.client.HTTPConnection(place.hostname or "", place.port) for _ in range(most)]
        self._threads = ThreadPoolExecutor(most)

    def ask(self, questions: list[Question], times: int = 1, connections: int = 1) -> dict[str, Any]:
        """Ask all questions so often, over so many connections at once; return the seconds of all, and of each."""
        asked = questions * times
        shares = [asked[number::connections] for number in range(connections)]
        began = time.perf_counter()
        answered = list(self._threads.map(_ask_all, self._connections, shares))
        return {"seconds": time.perf_counter() - began, "latencies": [each for some in answered for each in some]}

    def read(self, question: Question) -> dict[str, Any]:
        """Ask one question and return the answer, headers and body."""
        response, body = _answer(self._connections[0], question)
        self._connections[0].close()
        return {"body": json.loads(body), "headers": {name.lower(): value for name, value in response.getheaders()}}


def _ask_all(connection: http.client.HTTPConnection, questions: list[Question]) -> list[float]:
    taken = []
    connection.close()  # the server may have closed it while nobody asked
    connection.connect()
    for each in questions:
        began = time.perf_counter()
        _answer(connection, each)
        taken.append(time.perf_counter() - began)
    return taken


def _answer(connection: http.client.HTTPConnection, question: Question) -> tuple[http.client.HTTPResponse, bytes]:
    headers = dict(question["headers"])
    if question.get("is_new"):
        headers["Idempotency-Key"] = str(uuid4())
    connection.request(question["method"], question["path"], question.get("body"), headers)
    response = connection.getresponse()
    body = response.read()
    assert response.status == question["status"], (question["path"], response.status, body[:500])
    return response, body


if __name__ == "__main__":
    given = json.loads(sys.argv[1])
    client = Client(given["url"], given["most"])
    obey({"ask": client.ask, "read": client.read, "used": time.process_time})
