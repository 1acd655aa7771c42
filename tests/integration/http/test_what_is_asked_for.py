"""What a caller may say about the answer that it wants: its media type, its coding, its head alone, and when."""

import gzip
import json
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest


def accepting(client, path, *accepted):
    headers = [("Accept", each) for each in accepted]
    request = client.http.build_request("GET", path, headers={"Authorization": f"Bearer {client.token('admin')}"})
    del request.headers["accept"]
    request.headers = type(request.headers)([*request.headers.multi_items(), *headers])
    return client.http.send(request)


@pytest.mark.parametrize(
    "accepted",
    [
        (),
        ("",),
        ("*/*",),
        ("application/*",),
        ("Application/JSON",),
        ("application/json; charset=utf-8",),
        ("text/html", "application/json;q=0.1"),
        ("text/html, application/json;q=0.001",),
        ("application/*;q=0, application/json",),
    ],
)
def test_a_media_type_that_can_be_had_is_given(client, accepted):
    assert accepting(client, "/v1/me", *accepted).status_code == 200


@pytest.mark.parametrize(
    "accepted",
    [
        "text/html",
        "application/xml",
        "application/json;q=0",
        "*/*, application/json;q=0.000",
        "*/*;q=0",
        "application/*;q=0, */*",
        "json",
        "application/json;q=none",
        "application/jsonp",
    ],
)
def test_a_media_type_that_cannot_be_had_answers_406_with_those_that_can(client, accepted):
    answer = accepting(client, "/v1/me", accepted)

    assert (answer.status_code, answer.json()["code"]) == (406, "not-acceptable")
    assert answer.json()["available"] == ["application/json"]
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize(
    ("path", "media_type"), [("/v1/text", "text/plain"), ("/v1/executions/x/logs", "text/event-stream")]
)
def test_other_media_types_are_those_of_the_route(client, path, media_type):
    assert accepting(client, path, media_type).status_code == 200
    assert accepting(client, path, "application/json").json()["available"] == [media_type]


def test_what_cannot_be_answered_is_not_done(client):
    answer = client.post("/v1/plans", {"summary": "x"}, headers={"Accept": "text/html"})

    assert answer.status_code == 406


@pytest.mark.parametrize(
    "headers",
    [
        {"Content-Type": "application/json; charset=latin-1"},
        {"Content-Type": 'application/json; charset="utf-16"'},
        {"Content-Encoding": "gzip"},
        {"Content-Encoding": "identity, gzip"},
    ],
    ids=str,
)
def test_a_body_that_is_encoded_otherwise_answers_415(client, headers):
    answer = client.post("/v1/plans", gzip.compress(b'{"summary": "x"}'), headers=headers)

    assert (answer.status_code, answer.json()["code"]) == (415, "content-type-unsupported")


def test_a_webhook_that_is_compressed_answers_415(client):
    answer = client.http.post("/v1/webhooks/echo/a", content=b"x", headers={"Content-Encoding": "gzip"})

    assert answer.status_code == 415


@pytest.mark.parametrize(
    ("kind", "status"),
    [("application/merge-patch+json", 200), ("application/json", 200), ("application/json-patch+json", 415)],
)
def test_a_change_is_a_merge_patch(client, kind, status):
    answer = client.ask("PATCH", "/v1/plans/plan_1", content=b'{"a": "b"}', headers={"Content-Type": kind})

    assert answer.status_code == status


def coded(client, path, accepted="gzip"):
    return client.ask("GET", path, headers={"Accept-Encoding": accepted})


@pytest.mark.parametrize("accepted", ["gzip", "br, GZIP;q=0.5", "*"])
@pytest.mark.parametrize("path", ["/v1/large", "/v1/text"])
def test_long_answers_are_compressed_for_those_who_take_it(client, accepted, path):
    answer, plain = coded(client, path, accepted), coded(client, path, "identity")

    assert answer.headers["content-encoding"] == "gzip"
    assert int(answer.headers["content-length"]) < 100
    assert answer.content == plain.content
    assert (answer.headers["vary"], plain.headers["vary"]) == ("Accept-Encoding", "Accept-Encoding")


@pytest.mark.parametrize("accepted", ["", "identity", "gzip;q=0", "br", "*;q=0", "gzip; q=0.0, *"])
def test_nobody_gets_a_coding_that_it_does_not_take(client, accepted):
    assert "content-encoding" not in coded(client, "/v1/large", accepted).headers


@pytest.mark.parametrize("path", ["/v1/large?size=1000", '/v1/large?tag="1"', "/v1/executions/x/logs"])
def test_short_answers_strongly_tagged_ones_and_streams_stay_as_they_are(client, path):
    assert "content-encoding" not in coded(client, path).headers


def test_a_weakly_tagged_answer_is_compressed(client):
    assert coded(client, '/v1/large?tag=W/"1"').headers["content-encoding"] == "gzip"


def test_a_problem_is_compressed_too(client):
    answer = client.post("/v1/plans", {"summary": "x", "steps": [{}] * 50}, headers={"Accept-Encoding": "gzip"})

    assert (answer.status_code, answer.headers["content-encoding"]) == (422, "gzip")
    assert len(answer.json()["errors"]) == 50


@pytest.mark.parametrize(
    "path", ["/v1/me", "/v1/large", "/v1/text", "/v1/nothing", "/v1/problems/conflict", "/healthz"]
)
def test_a_head_is_that_of_the_answer_to_get(client, path):
    changing = {"date", "traceparent", "content-length", "ratelimit"}
    got, head = client.ask("GET", path), client.ask("HEAD", path)

    assert (head.status_code, head.content) == (got.status_code, b"")
    assert {k: v for k, v in head.headers.items() if k not in changing and k != "content-encoding"} == {
        k: v for k, v in got.headers.items() if k not in changing and k != "content-encoding"
    }


def test_the_head_of_a_stream_comes_at_once_and_ends_it(client):
    client.application.is_over = False
    started = time.monotonic()

    answer = client.ask("HEAD", "/v1/executions/x/logs")

    assert (answer.status_code, answer.headers["content-type"][:17]) == (200, "text/event-stream")
    assert time.monotonic() - started < 1
    assert "carapulse_open_streams 0.0" in client.http.get("/metrics").text


def test_head_needs_a_token_as_get_does(client):
    assert client.http.head("/v1/me").status_code == 401


def waited(client, prefer):
    started = time.monotonic()
    answer = client.ask("GET", "/v1/wait", headers={"Prefer": prefer})
    return answer, time.monotonic() - started


def test_an_answer_waits_until_it_is_over(client):
    client.application.is_over = False
    threading.Timer(0.3, lambda: setattr(client.application, "is_over", True)).start()

    answer, seconds = waited(client, "respond-async, wait=20")

    assert (answer.json(), answer.headers["preference-applied"]) == (True, "wait=20")
    assert 0.3 <= seconds < 2


def test_an_answer_waits_no_longer_than_it_was_asked_to(client):
    client.application.is_over = False

    answer, seconds = waited(client, 'Wait="1"; foo')

    assert (answer.json(), answer.headers["preference-applied"]) == (False, "wait=1")
    assert 1 <= seconds < 2


def test_no_answer_waits_longer_than_thirty_seconds(client):
    answer, _ = waited(client, "wait=4000")

    assert answer.headers["preference-applied"] == "wait=30"


@pytest.mark.parametrize("prefer", ["wait", "wait=", "wait=soon", "wait=-1", "wait=1.5", "waits=5", "wait=x, wait=5"])
def test_a_preference_that_is_malformed_is_ignored(client, prefer):
    client.application.is_over = False

    answer, seconds = waited(client, prefer)

    assert (answer.status_code, answer.json(), "preference-applied" in answer.headers) == (200, False, False)
    assert seconds < 0.5


def test_those_who_wait_hold_no_thread(client):
    client.application.is_over = False
    with ThreadPoolExecutor(12) as pool:
        waiting = [pool.submit(waited, client, "wait=10") for _ in range(12)]
        time.sleep(0.3)
        started = time.monotonic()
        answered = client.ask("GET", "/v1/me").status_code
        took = time.monotonic() - started
        client.application.is_over = True

    assert (answered, took < 1) == (200, True)
    assert all(each.result()[0].json() for each in waiting)
    assert len(set(client.application.reads)) <= 3


def test_the_end_of_the_program_ends_the_waiting(client):
    client.application.is_over = False
    client.application.stopping.set()
    try:
        _, seconds = waited(client, "wait=10")
    finally:
        client.application.stopping.clear()

    assert seconds < 1


def test_the_description_tells_of_the_preference(client):
    operation = json.loads(client.http.get("/openapi.json").text)["paths"]["/v1/wait"]["get"]

    assert [each["name"] for each in operation["parameters"] if each["in"] == "header"] == ["Prefer"]
