"""Server-sent events, read over connections that break."""

import httpx
import pytest

from carapulse.surfaces.cli.client import Api
from carapulse.surfaces.cli.errors import Refused, Unanswered
from carapulse.surfaces.cli.events import ServerEvent, follow, parse


def followed(*answers):
    """Follow a stream whose connections bring these answers, one after the other."""
    asked, waiting = [], iter(answers)

    def handle(request):
        asked.append(request.headers.get("last-event-id"))
        answer = next(waiting)
        if isinstance(answer, Exception):
            raise answer
        return answer if isinstance(answer, httpx.Response) else httpx.Response(200, text=answer)

    api = Api("http://carapulse.test", None, httpx.MockTransport(handle))
    return list(follow(api, "/v1/executions/e/logs", pause=lambda _: None)), asked


def test_events_are_read_as_the_standard_says():
    lines = [": hello", "", "id: 7", "event: log", "data: one", "data:two", "", "data: three", "", "data: unfinished"]

    assert list(parse(lines)) == [ServerEvent("7", "log", "one\ntwo"), ServerEvent("7", "message", "three")]


def test_a_stream_that_breaks_is_resumed_behind_its_last_event():
    events, asked = followed("id: 1\nevent: log\ndata: a\n\n", "id: 2\ndata: b\n\nevent: end\ndata: {}\n\n")

    assert [event.data for event in events] == ["a", "b", "{}"]
    assert asked == [None, "1"]


def test_a_connection_that_cannot_be_made_is_tried_again():
    events, asked = followed(httpx.ConnectError("no"), "event: end\ndata: {}\n\n")

    assert (len(events), len(asked)) == (1, 2)


def test_a_stream_that_was_over_already_is_over():
    assert followed(httpx.Response(204)) == ([], [None])


def test_a_stream_that_never_comes_back_is_given_up():
    with pytest.raises(Unanswered):
        followed(*[httpx.ConnectError("no")] * 20)


def test_a_stream_that_says_nothing_again_and_again_is_given_up():
    with pytest.raises(Unanswered):
        followed(*[": open\n\n"] * 20)


def test_a_problem_is_not_tried_again():
    problem = httpx.Response(404, json={"detail": "none"}, headers={"content-type": "application/problem+json"})

    with pytest.raises(Refused):
        followed(problem)
