"""Server-sent events through the whole stack."""

import time
from datetime import timedelta

from carapulse.sse import Row

PATH = "/v1/executions/x/logs"


def opened(client, **headers):
    given = {"Authorization": f"Bearer {client.token('viewer')}", **headers}
    return client.http.stream("GET", PATH, headers=given, timeout=5)


def ids(text):
    return [line.removeprefix("id: ") for line in text.splitlines() if line.startswith("id: ")]


def wait_until(condition):
    deadline = time.monotonic() + 5
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_a_stream_that_is_over_is_sent_whole_and_ends(client):
    answer = client.ask("GET", PATH)

    assert answer.headers["content-type"].startswith("text/event-stream")
    assert ids(answer.text) == ["1", "2", "3"]
    assert 'event: step\ndata: {"text":"line 1\\nand more"}\n\n' in answer.text
    assert answer.text.endswith("event: end\ndata: {}\n\n")


def test_a_client_that_comes_back_gets_what_it_missed(client):
    answer = client.ask("GET", PATH, headers={"Last-Event-ID": "2"})

    assert ids(answer.text) == ["3"]


def test_a_client_that_has_everything_is_told_not_to_come_back(client):
    answer = client.ask("GET", PATH, headers={"Last-Event-ID": "3"})

    assert (answer.status_code, answer.text) == (204, "")


def test_what_happens_later_arrives_and_silence_is_broken(client):
    client.application.is_over = False
    with opened(client) as answer:
        lines = answer.iter_lines()
        seen = []
        for line in lines:
            seen.append(line)
            if line == ": still here":
                client.application.rows.append(Row("4", "step", {}))
            if line == "id: 4":
                client.application.is_over = True

    assert ids("\n".join(seen)) == ["1", "2", "3", "4"]
    assert ": still here" in seen
    assert seen[-3:] == ["event: end", "data: {}", ""]


def test_a_client_that_leaves_is_no_longer_read_for(client):
    client.application.is_over = False
    with opened(client) as answer:
        next(answer.iter_lines())
    wait_until(lambda: "carapulse_open_streams 0.0" in client.http.get("/metrics").text)
    asked = len(client.application.reads)

    time.sleep(0.2)

    assert len(client.application.reads) == asked


def test_a_stream_does_not_outlive_its_token(client):
    client.application.is_over = False
    token = client.token("viewer", lifetime=timedelta(seconds=1))
    started = time.monotonic()

    answer = client.http.get(PATH, headers={"Authorization": f"Bearer {token}"})

    assert time.monotonic() - started < 1.8
    assert "event: end" not in answer.text


def test_a_stream_that_may_not_be_read_is_a_plain_problem(client):
    answer = client.http.get(PATH)

    assert (answer.status_code, answer.headers["content-type"]) == (401, "application/problem+json")


def test_an_id_that_is_no_id_is_refused(client):
    assert client.ask("GET", PATH, headers={"Last-Event-ID": "x" * 200}).status_code == 422


def test_whoever_follows_with_a_key_proves_it_anew_soon(client):
    client.application.is_over = False
    began = time.monotonic()

    answer = client.http.get(PATH, headers={"Authorization": "Bearer cpk_the-one"})

    assert answer.status_code == 200
    assert time.monotonic() - began < 1.8
