"""What a caller can send wrong, and the clear answer to it."""

import json
import socket

import pytest

LIMIT = 100_000


def raw(client, *chunks, pause=None):
    """Send bytes as they are and return what comes back until the server closes."""
    with socket.create_connection(("127.0.0.1", client.port), timeout=5) as connection:
        for chunk in chunks:
            connection.sendall(chunk)
        received = b""
        while part := connection.recv(65536):
            received += part
    return received.decode()


def a_head(client, *lines):
    token = client.token("admin")
    return "\r\n".join(
        [
            "POST /v1/plans HTTP/1.1",
            "Host: x",
            f"Authorization: Bearer {token}",
            "Content-Type: application/json",
            *lines,
            "",
            "",
        ]
    ).encode()


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b'{"summary": "x",}',
        b'{"summary": NaN}',
        b'{"summary": "x", "summary": "y"}',
        b'{"summary": "\\u0000"}',
        b'{"summary": "\\ud800"}',
        b'{"summary": "\xff"}',
        b'{"summary": 1e999}',
        b'{"choice": ' + b"9" * 5000 + b"}",
        b'{"choice": ' + b"[" * 40_000 + b"]" * 40_000 + b"}",
        b'{"a":' * 15_000,
    ],
    ids=lambda body: repr(body[:28]),
)
def test_json_that_is_malformed_or_ambiguous_answers_400(client, body):
    answer = client.post("/v1/plans", body)

    assert (answer.status_code, answer.json()["code"]) == (400, "malformed-json")


@pytest.mark.parametrize(
    "kind",
    ["text/plain", "application/x-www-form-urlencoded", "application/jsonp", "", "multipart/form-data; boundary=x"],
)
def test_a_body_that_is_not_said_to_be_json_answers_415(client, kind):
    answer = client.post("/v1/plans", {"summary": "x"}, headers={"Content-Type": kind})

    assert (answer.status_code, answer.json()["code"]) == (415, "content-type-unsupported")


@pytest.mark.parametrize(
    "kind", ["application/json; charset=utf-8", "Application/JSON", "application/merge-patch+json"]
)
def test_the_usual_ways_to_say_json_are_understood(client, kind):
    assert client.post("/v1/plans", {"summary": "x"}, headers={"Content-Type": kind}).status_code == 201


def test_a_body_is_read_up_to_the_limit(client):
    around = len(b'{"summary": ""}')

    assert client.post("/v1/plans", b'{"summary": "' + b"x" * (LIMIT - around) + b'"}').status_code == 201
    assert client.post("/v1/plans", b'{"summary": "' + b"x" * (LIMIT - around + 1) + b'"}').status_code == 413


def test_a_body_that_says_it_is_too_large_is_refused_before_it_is_sent(client):
    answer = raw(client, a_head(client, f"Content-Length: {LIMIT + 1}"))

    assert answer.startswith("HTTP/1.1 413")
    assert json.loads(answer.partition("\r\n\r\n")[2])["most_bytes"] == LIMIT


def test_a_body_in_chunks_is_refused_as_soon_as_it_is_too_large(client):
    chunk = b"2710\r\n" + b"x" * 10_000 + b"\r\n"

    answer = raw(client, a_head(client, "Transfer-Encoding: chunked"), *[chunk] * 11)

    assert answer.startswith("HTTP/1.1 413")
    assert "connection: close" in answer.lower()


def test_a_body_in_chunks_is_read(client):
    body = b'{"summary": "x"}'
    chunks = b"".join(b"1\r\n" + bytes([each]) + b"\r\n" for each in body) + b"0\r\n\r\n"

    assert raw(client, a_head(client, "Transfer-Encoding: chunked", "Connection: close"), chunks).startswith(
        "HTTP/1.1 201"
    )


def test_a_body_that_never_arrives_answers_408(client):
    answer = raw(client, a_head(client, "Content-Length: 20", "Connection: close"), b'{"sum')

    assert answer.startswith("HTTP/1.1 408")


def test_a_webhook_s_body_is_limited_too_and_is_left_as_it_is(client):
    assert client.http.post("/v1/webhooks/echo/a", content=b"not json").json() == {"bytes": 8}
    assert client.http.post("/v1/webhooks/echo/a", content=b"x" * (LIMIT + 1)).status_code == 413


def test_unknown_fields_are_refused_with_their_place(client):
    answer = client.post("/v1/plans", {"summary": "x", "aproved": True, "steps": [{"tool": "a", "a/b~": 1}]})

    assert (answer.status_code, answer.json()["code"]) == (422, "invalid-request")
    assert {(each["pointer"], each["code"]) for each in answer.json()["errors"]} == {
        ("/aproved", "unknown-field"),
        ("/steps/0/a~1b~0", "unknown-field"),
    }


@pytest.mark.parametrize(
    ("body", "pointer", "code"),
    [
        ({}, "/summary", "missing"),
        ({"summary": ""}, "/summary", "string-too-short"),
        ({"summary": 7}, "/summary", "string-type"),
        ({"summary": "x", "steps": [{"tool": "a"}, {}]}, "/steps/1/tool", "missing"),
        ({"summary": "x", "steps": [{"tool": "a", "after": [1, "z"]}]}, "/steps/0/after/1", "int-parsing"),
        ({"summary": "x", "choice": ["a", 1]}, "/choice/1", "string-type"),
        ([], "", "model-attributes-type"),
        (None, "", "model-attributes-type"),
    ],
    ids=str,
)
def test_a_wrong_field_is_named_by_a_json_pointer(client, body, pointer, code):
    answer = client.post("/v1/plans", body)

    assert answer.status_code == 422
    assert (pointer, code) in {(each["pointer"], each["code"]) for each in answer.json()["errors"]}


def test_a_missing_body_is_said_to_be_missing(client):
    answer = client.ask("POST", "/v1/plans")

    assert answer.status_code == 422
    assert [(each["pointer"], each["code"]) for each in answer.json()["errors"]] == [("", "missing")]


def test_what_was_sent_is_never_repeated(client):
    answer = client.post("/v1/plans", {"summary": 7, "token": "very-secret-value"})

    assert "very-secret-value" not in answer.text


def test_a_thousand_faults_are_not_a_thousand_times_the_answer(client):
    answer = client.post("/v1/plans", {"summary": "x", "steps": [{}] * 5000})

    assert len(answer.json()["errors"]) == 50


def test_a_route_without_a_body_needs_none(client):
    assert client.ask("POST", "/v1/plans/plan_1:execute").status_code == 202


@pytest.mark.parametrize("query", ["limt=5", "limit=5&offset=3"])
def test_a_query_parameter_that_is_not_known_answers_422(client, query):
    answer = client.ask("GET", f"/v1/plans?{query}")

    assert (answer.status_code, answer.json()["known"]) == (422, ["limit"])


def test_a_query_parameter_of_the_wrong_type_is_named(client):
    answer = client.ask("GET", "/v1/plans?limit=many")

    assert answer.json()["errors"] == [
        {"parameter": "limit", "code": "int-parsing", "detail": answer.json()["errors"][0]["detail"]}
    ]


@pytest.mark.parametrize(
    "path", ["/v1/plans/%00:execute", "/v1/plans/a%0ab:execute", "/v1/plans/%ff:execute", "/v1/plans?limit=%00"]
)
def test_an_address_with_forbidden_characters_answers_400(client, path):
    answer = client.ask("POST", path)

    assert (answer.status_code, answer.json()["code"]) == (400, "malformed-url")


def test_a_path_that_is_not_served_answers_404(client):
    for path in ("/v1/nothing", "/nothing", "/v1/plans/"):
        answer = client.ask("GET", path)

        assert (answer.status_code, answer.json()["code"]) == (404, "no-such-route")


def test_a_method_that_is_not_served_answers_405_with_those_that_are(client):
    answer = client.ask("DELETE", "/v1/me")

    assert (answer.status_code, answer.json()["code"]) == (405, "method-not-allowed")
    assert answer.headers["allow"] == "GET, HEAD"
