"""The plain probe: what it asks, what it tells, and where it may not go."""

from typing import Any

import pytest
from tests.builders.tools import (
    Exchange,
    Reply,
    Runs,
    a_connection,
    a_server,
    a_toolbox,
    an_invocation,
)

from carapulse.kernel.errors import Unavailable
from carapulse.tools.errors import EgressRefused, InputRefused
from carapulse.tools.model import Outcome, OutcomeKind


def probed(value: dict[str, Any], reply: Reply, **connection: Any) -> tuple[Outcome, list[Exchange]]:
    """Return what came of a probe of /version."""
    with a_server({("GET", "/version"): reply, ("HEAD", "/version"): reply}) as server:
        run = Runs(a_toolbox(a_connection("http", may_reach=[f"127.0.0.1:{server.port}"], **connection)))
        return run(an_invocation("http.probe", {"url": f"{server.url}/version?a=b%20c", **value})), server.exchanges


def test_a_probe_tells_status_headers_text_and_json():
    outcome, exchanges = probed({}, Reply({"version": "1.4.2"}, headers={"X-A": "b"}))

    assert (outcome.output["status"], outcome.output["json"], outcome.output["headers"]["x-a"]) == (
        200,
        {"version": "1.4.2"},
        "b",
    )
    assert outcome.output["text"] == '{"version": "1.4.2"}'
    assert exchanges[0].query == {"a": "b c"}


@pytest.mark.parametrize("status", [200, 404, 500, 503])
def test_a_probe_without_expectation_tells_any_status(status: int):
    outcome, _ = probed({}, Reply({}, status))

    assert (outcome.kind, outcome.output["status"]) == (OutcomeKind.SUCCEEDED, status)


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        ({"expect_status": 200}, OutcomeKind.SUCCEEDED),
        ({"expect_status": 204}, OutcomeKind.FAILED),
        ({"expect_text": "1.4"}, OutcomeKind.SUCCEEDED),
        ({"expect_text": "1.5"}, OutcomeKind.FAILED),
        ({"method": "HEAD", "expect_status": 200}, OutcomeKind.SUCCEEDED),
    ],
)
def test_a_probe_compares_what_it_expects(value: dict[str, Any], kind: OutcomeKind):
    outcome, _ = probed(value, Reply({"version": "1.4.2"}))

    assert outcome.kind is kind


def test_a_probe_hides_secrets_of_headers_and_body():
    outcome, _ = probed(
        {},
        Reply(
            {"password": "hunter2hunter2", "note": "Bearer abcdefgh12345"},
            headers={"Authorization": "Basic Zm9vOmJhcg=="},
        ),
    )

    told = outcome.model_dump_json()
    assert not any(secret in told for secret in ("hunter2", "abcdefgh12345", "Zm9vOmJhcg"))


def test_a_probe_goes_only_where_the_connection_says():
    with pytest.raises(EgressRefused):
        Runs(a_toolbox(a_connection("http", may_reach=["127.0.0.1:1"])))(
            an_invocation("http.probe", {"url": "http://127.0.0.1:2/"})
        )


@pytest.mark.parametrize(
    "url", ["http://user:pw@127.0.0.1:1/", "ftp://x/", "http:///x", "file:///etc/passwd", "http://127.0.0.1:x/", "//x"]
)
def test_a_probe_of_what_is_no_plain_address_is_refused(url: str):
    with pytest.raises(InputRefused):
        Runs(a_toolbox(a_connection("http", may_reach=["127.0.0.1:1"])))(an_invocation("http.probe", {"url": url}))


@pytest.mark.parametrize("name", ["Host", "authorization", "Content-Length", "Proxy-X", "X Y", "X\n"])
def test_a_probe_may_not_set_headers_that_are_not_its_own(name: str):
    with pytest.raises(InputRefused):
        probed({"headers": {name: "x"}}, Reply({}))


def test_a_refused_connection_of_a_probe_is_unavailable():
    with a_server({}) as server:
        url = server.url

    with pytest.raises(Unavailable):
        Runs(a_toolbox(a_connection("http", may_reach=[url.removeprefix("http://")])))(
            an_invocation("http.probe", {"url": url})
        )
