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
