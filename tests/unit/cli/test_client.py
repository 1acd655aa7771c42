"""What the client makes of answers, and of none."""

import httpx
import pytest

from carapulse.surfaces.cli.client import Api, path_of
from carapulse.surfaces.cli.errors import Refused, Unanswered
from carapulse.surfaces.cli.exits import ExitCode


def an_api(answer, token="secret"):
    seen = []

    def handle(request):
        seen.append(request)
        return answer(request) if callable(answer) else answer

    api = Api("http://carapulse.test", token, httpx.MockTransport(handle))
    return api, seen


def test_an_answer_is_kept_as_it_came():
    api, seen = an_api(httpx.Response(200, text='{"b": 1,  "a": 2}'))

    answer = api.get("/v1/plans", limit=3, cursor=None)

    assert (answer.text, answer.body) == ('{"b": 1,  "a": 2}', {"b": 1, "a": 2})
    assert seen[0].url.query == b"limit=3"
    assert seen[0].headers["authorization"] == "Bearer secret"


def test_an_id_cannot_lead_to_another_path():
    assert path_of("plans", "../executions?x#y", verb="execute") == "/v1/plans/..%2Fexecutions%3Fx%23y:execute"


def test_a_problem_keeps_its_body_and_its_exit_code():
    body = {"status": 409, "code": "plan-changed", "detail": "it is another plan"}
    api, _ = an_api(httpx.Response(409, json=body, headers={"content-type": "application/problem+json"}))

    with pytest.raises(Refused) as refused:
        api.post("/v1/approvals", {})

    assert (refused.value.body, refused.value.code) == (body, ExitCode.REFUSED)


@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(200, text="<html>login</html>"),
        httpx.Response(404, text="not found"),
        httpx.Response(403, json={"detail": "a proxy says no"}),
        httpx.Response(302, headers={"location": "http://elsewhere.test"}),
        httpx.Response(502, text="{", headers={"content-type": "application/problem+json"}),
        httpx.Response(500, text="[]", headers={"content-type": "application/problem+json"}),
    ],
)
def test_an_answer_that_is_not_carapulses_is_no_answer(answer):
    api, _ = an_api(answer)

    with pytest.raises(Unanswered) as unanswered:
        api.get("/v1/plans")

    assert unanswered.value.code == ExitCode.UNAVAILABLE


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (httpx.ConnectError("refused"), "nobody answers at http://carapulse.test"),
        (httpx.ConnectTimeout(""), "no connection in time"),
        (httpx.ReadTimeout("slow"), "did not answer in time"),
        (httpx.RemoteProtocolError("cut"), "the connection to http://carapulse.test broke: cut"),
    ],
)
def test_no_answer_is_said_in_words(error, words):
    def fail(_request):
        raise error

    api, _ = an_api(fail)

    with pytest.raises(Unanswered, match=words):
        api.get("/v1/plans")


def test_nothing_is_sent_to_what_is_no_address():
    with pytest.raises(Unanswered):
        Api("ftp://carapulse.test", None).get("/v1/plans")


def answering(*answers):
    """Answer one request after another; an exception is what befalls the connection."""
    left = list(answers)

    def handle(_request):
        answer = left.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    api, seen = an_api(handle)
    api.again_s = (0.0, 0.0)
    return api, seen


IN_USE = httpx.Response(
    409, json={"code": "idempotency-key-in-use"}, headers={"content-type": "application/problem+json"}
)


def test_what_asks_for_something_to_be_done_has_a_key_of_its_own():
    api, seen = answering(httpx.Response(200, json={}), httpx.Response(200, json={}), httpx.Response(200, json={}))

    api.post("/v1/plans", {})
    api.post("/v1/plans", {})
    api.get("/v1/plans")

    first, second, read = (each.headers.get("idempotency-key") for each in seen)
    assert first
    assert second
    assert first != second
    assert read is None


def test_a_request_whose_answer_is_lost_is_sent_again_under_its_key():
    api, seen = answering(httpx.RemoteProtocolError("cut"), IN_USE, httpx.Response(201, json={"plan_id": "plan_1"}))

    answer = api.post("/v1/plans", {})

    assert answer.body == {"plan_id": "plan_1"}
    assert len({each.headers["idempotency-key"] for each in seen}) == 1


def test_a_request_is_not_sent_again_for_ever_nor_where_it_was_answered():
    lost, lost_seen = answering(*[httpx.ReadTimeout("slow")] * 3)
    refused, refused_seen = answering(
        httpx.Response(409, json={"code": "plan-changed"}, headers={"content-type": "application/problem+json"})
    )
    away, away_seen = answering(httpx.ConnectError("refused"))

    with pytest.raises(Unanswered):
        lost.post("/v1/plans", {})
    with pytest.raises(Refused):
        refused.post("/v1/plans", {})
    with pytest.raises(Unanswered):
        away.post("/v1/plans", {})

    assert (len(lost_seen), len(refused_seen), len(away_seen)) == (3, 1, 1)
