"""Prometheus, Tempo, Grafana, Argo CD and the plain probe: what is asked of them, as they document it, and what is made of their answers."""

import math
from typing import Any

import pytest
from tests.builders.tools import (
    BUILTIN,
    Answers,
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
from carapulse.tools.model import Mode, Outcome, OutcomeKind


def asked(name: str, value: dict[str, Any], answers: Answers, **fields: Any) -> tuple[Outcome, list[Exchange]]:
    """Return what came of an action, and what the server was asked."""
    tool = name.split(".", maxsplit=1)[0]
    settings, deadline_s = fields.pop("settings", {}), fields.pop("deadline_s", 10)
    with a_server(answers) as server:
        connection = a_connection(
            tool,
            base_url=server.url + fields.pop("under", ""),
            headers={"Authorization": {"secret": "env:TOKEN", "prefix": "Bearer "}},
            settings=settings,
        )
        run = Runs(a_toolbox(connection, environment={"TOKEN": "s3cret-token"}))
        return run(an_invocation(name, value, **fields), deadline_s=deadline_s), server.exchanges


def vector(*values: str) -> Reply:
    result = [{"metric": {"n": str(n)}, "value": [1700000000.0, value]} for n, value in enumerate(values)]
    return Reply({"status": "success", "data": {"resultType": "vector", "result": result}})


QUERY = {("POST", "/api/v1/query"): vector("0.5", "7")}


def test_a_query_is_a_form_with_the_token_of_the_connection():
    outcome, exchanges = asked(
        "prometheus.query", {"query": 'sum(rate(x{a="b"}[5m])) > 1 & 2', "time": "2026-01-01T00:00:00Z"}, QUERY
    )

    assert outcome.kind is OutcomeKind.SUCCEEDED
    assert (exchanges[0].method, exchanges[0].path) == ("POST", "/api/v1/query")
    assert exchanges[0].headers["content-type"] == "application/x-www-form-urlencoded"
    assert exchanges[0].headers["authorization"] == "Bearer s3cret-token"
    assert exchanges[0].form == {"query": 'sum(rate(x{a="b"}[5m])) > 1 & 2', "time": "2026-01-01T00:00:00Z"}


def test_a_base_url_may_have_a_path():
    _, exchanges = asked(
        "prometheus.query", {"query": "up"}, {("POST", "/prom/api/v1/query"): vector("1")}, under="/prom/"
    )

    assert exchanges[0].path == "/prom/api/v1/query"


@pytest.mark.parametrize(
    ("reply", "value", "count"),
    [
        (vector("0.5", "7"), 0.5, 2),
        (vector("0"), 0, 1),
        (vector(), None, 0),
        (vector("NaN"), None, 1),
        (vector("+Inf"), None, 1),
        (Reply({"status": "success", "data": {"resultType": "scalar", "result": [1700000000, "4"]}}), 4, 2),
        (Reply({"status": "success", "data": {"resultType": "string", "result": [1700000000, "x"]}}), None, 2),
    ],
)
def test_the_value_of_a_query_is_a_number_or_null(reply: Reply, value: float | None, count: int):
    outcome, _ = asked("prometheus.query", {"query": "x"}, {("POST", "/api/v1/query"): reply})

    assert (outcome.output["value"], outcome.output["count"]) == (value, count)
    assert outcome.output["value"] is None or math.isfinite(outcome.output["value"])


@pytest.mark.parametrize("status", [400, 401, 404, 422, 500])
def test_an_error_of_the_server_is_a_failure_whatever_it_says(status: int):
    outcome, _ = asked(
        "prometheus.query",
        {"query": "x"},
        {("POST", "/api/v1/query"): Reply({"status": "success", "data": {}}, status)},
    )

    assert (outcome.kind, outcome.http_status, outcome.output) == (OutcomeKind.FAILED, status, None)


@pytest.mark.parametrize("status", [429, 502, 503, 504])
def test_a_read_from_a_busy_server_may_be_tried_again(status: int):
    with pytest.raises(Unavailable):
        asked("prometheus.query", {"query": "x"}, {("POST", "/api/v1/query"): Reply(None, status)})


def test_an_answer_that_says_error_is_a_failure():
    outcome, _ = asked(
        "prometheus.query", {"query": "x"}, {("POST", "/api/v1/query"): Reply({"status": "error", "error": "bad"})}
    )

    assert outcome.kind is OutcomeKind.FAILED
    assert "status" in outcome.detail


@pytest.mark.parametrize("body", [b"", b"<html>", b'{"status": "succ', b"[NaN", b"null"])
def test_an_answer_that_is_no_json_is_a_failure(body: bytes):
    outcome, _ = asked("prometheus.query", {"query": "x"}, {("POST", "/api/v1/query"): Reply(body)})

    assert (outcome.kind, outcome.output) == (OutcomeKind.FAILED, None)


def test_an_answer_that_is_cut_off_is_a_failure():
    outcome, _ = asked(
        "prometheus.query",
        {"query": "x"},
        {("POST", "/api/v1/query"): Reply(b'{"status":"success","data":"' + b"x" * 1_100_000 + b'"}')},
    )

    assert (outcome.kind, outcome.truncated, outcome.output) == (OutcomeKind.FAILED, True, None)


def test_a_range_of_metrics_is_asked_for():
    value = {"query": "up", "start": "1700000000", "end": "1700003600", "step": "60s"}
    outcome, exchanges = asked(
        "prometheus.query_range",
        value,
        {
            ("POST", "/api/v1/query_range"): Reply(
                {
                    "status": "success",
                    "data": {"resultType": "matrix", "result": [{"metric": {}, "values": [[1, "1"]]}]},
                }
            )
        },
    )

    assert (outcome.kind, exchanges[0].form, outcome.output["count"]) == (OutcomeKind.SUCCEEDED, value, 1)


def test_rules_and_what_fires_are_listed():
    groups = [
        {
            "name": "g",
            "rules": [
                {"name": "Down", "state": "firing", "type": "alerting"},
                {"name": "Slow", "state": "inactive", "type": "alerting"},
            ],
        }
    ]
    outcome, exchanges = asked(
        "prometheus.rules",
        {"type": "alert", "names": ["Down"]},
        {("GET", "/api/v1/rules"): Reply({"status": "success", "data": {"groups": groups}})},
    )

    assert (exchanges[0].query, exchanges[0].body) == ({"type": "alert", "rule_name[]": "Down"}, b"")
    assert outcome.output["firing"] == ["Down"]


def test_exemplars_are_asked_for_by_form():
    value = {"query": "h_bucket", "start": "1", "end": "2"}
    outcome, exchanges = asked(
        "prometheus.query_exemplars",
        value,
        {("POST", "/api/v1/query_exemplars"): Reply({"status": "success", "data": []})},
    )

    assert (exchanges[0].form, outcome.output["series"]) == (value, [])


@pytest.mark.parametrize("action", ["tempo.traceql", "tempo.query"])
def test_traces_are_searched_with_get_and_q(action: str):
    query = '{ resource.service.name = "checkout" && status = error }'
    outcome, exchanges = asked(
        action,
        {"query": query, "limit": 5, "start": 1700000000, "end": 1700000600},
        {("GET", "/api/search"): Reply({"traces": [{"traceID": "a1"}], "metrics": {"inspectedTraces": 3}})},
    )

    assert exchanges[0].query == {"q": query, "limit": "5", "start": "1700000000", "end": "1700000600"}
    assert exchanges[0].headers["accept"] == "application/json"
    assert (outcome.output["count"], outcome.output["traces"][0]["traceID"]) == (1, "a1")


def test_a_search_without_traces_counts_none():
    outcome, _ = asked("tempo.traceql", {"query": "{}"}, {("GET", "/api/search"): Reply({"metrics": {}})})

    assert (outcome.kind, outcome.output["count"]) == (OutcomeKind.SUCCEEDED, 0)


def test_a_trace_is_read_by_its_id():
    outcome, exchanges = asked(
        "tempo.trace_by_id",
        {"trace_id": "2f3e0cee77ae5dc9"},
        {("GET", "/api/v2/traces/2f3e0cee77ae5dc9"): Reply({"trace": {"resourceSpans": []}})},
    )

    assert (outcome.kind, exchanges[0].path) == (OutcomeKind.SUCCEEDED, "/api/v2/traces/2f3e0cee77ae5dc9")


ANNOTATED = {("POST", "/api/annotations"): Reply({"message": "Annotation added", "id": 17})}


def test_an_annotation_is_written_for_the_organisation_of_the_context():
    value = {"text": "Scaled 'x' to 5;\nby hand", "tags": ["scale", "x"], "dashboard_uid": "abc", "panel_id": 2}
    outcome, exchanges = asked(
        "grafana.annotate", value, ANNOTATED, context={"grafana_org_id": "7"}, settings={"org_id": "1"}
    )

    assert exchanges[0].headers["x-grafana-org-id"] == "7"
    assert exchanges[0].headers["content-type"] == "application/json"
    assert exchanges[0].json == {"text": value["text"], "tags": ["scale", "x"], "dashboardUID": "abc", "panelId": 2}
    assert outcome.output["id"] == 17


def test_the_organisation_of_the_connection_counts_without_one_in_the_context():
    _, exchanges = asked("grafana.annotate", {"text": "x", "tags": ["x"]}, ANNOTATED, settings={"org_id": "3"})

    assert exchanges[0].headers["x-grafana-org-id"] == "3"


def test_an_annotation_is_undone_by_its_id():
    invocation = an_invocation("grafana.annotate", {"text": "x", "tags": ["x"]})

    undo = BUILTIN.undo(invocation, {"id": 17, "message": "Annotation added"})

    assert undo is not None
    outcome, exchanges = asked(
        "grafana.annotation_delete",
        dict(undo.input),
        {("DELETE", "/api/annotations/17"): Reply({"message": "Annotation deleted"})},
    )
    assert (outcome.kind, exchanges[0].method) == (OutcomeKind.SUCCEEDED, "DELETE")


@pytest.mark.parametrize(
    ("texts", "kind"), [(["x"], OutcomeKind.SUCCEEDED), (["y"], OutcomeKind.FAILED), ([], OutcomeKind.FAILED)]
)
def test_the_probe_of_an_annotation_looks_for_its_text(texts: list[str], kind: OutcomeKind):
    found = {("GET", "/api/annotations"): Reply([{"id": 1, "text": text, "tags": ["t"], "time": 1} for text in texts])}
    outcome, exchanges = asked("grafana.annotate", {"text": "x", "tags": ["t", "u"]}, found, mode=Mode.PROBE)

    assert outcome.kind is kind
    assert exchanges[0].query["tags"] == "u"


@pytest.mark.parametrize("status", [500, 502, 503])
def test_a_write_that_the_server_stumbled_over_has_an_unknown_effect(status: int):
    outcome, _ = asked(
        "grafana.annotate", {"text": "x", "tags": ["x"]}, {("POST", "/api/annotations"): Reply(None, status)}
    )

    assert (outcome.kind, outcome.http_status) == (OutcomeKind.UNKNOWN, status)


def test_a_write_whose_answer_can_not_be_read_has_an_unknown_effect():
    outcome, _ = asked(
        "grafana.annotate", {"text": "x", "tags": ["x"]}, {("POST", "/api/annotations"): Reply({"message": "no id"})}
    )

    assert outcome.kind is OutcomeKind.UNKNOWN


def test_a_write_that_was_refused_for_being_too_many_changed_nothing():
    with pytest.raises(Unavailable):
        asked("grafana.annotate", {"text": "x", "tags": ["x"]}, {("POST", "/api/annotations"): Reply(None, 429)})


DASHBOARD = {"uid": "abc", "id": 9, "version": 4, "title": "Checkout", "panels": []}
STORED = {
    ("GET", "/api/dashboards/uid/abc"): Reply({"dashboard": DASHBOARD, "meta": {"folderUid": "f1"}}),
    ("POST", "/api/dashboards/db"): Reply({"uid": "abc", "version": 5, "status": "success", "url": "/d/abc"}),
    ("POST", "/api/dashboards/uid/abc/restore"): Reply({"uid": "abc", "version": 6, "status": "success"}),
    ("DELETE", "/api/dashboards/uid/abc"): Reply({"title": "Checkout", "message": "deleted"}),
    ("GET", "/api/search"): Reply(
        [{"uid": "abc", "title": "Checkout", "folderUid": "f1", "tags": [], "url": "/d/abc"}]
    ),
}


def test_a_dashboard_is_replaced_only_at_the_version_that_was_seen():
    invocation = an_invocation(
        "grafana.dashboard_upsert",
        {"uid": "abc", "dashboard": {"title": "New", "id": 9}, "folder_uid": "f1", "message": "m"},
    )
    with a_server(STORED) as server:
        run = Runs(a_toolbox(a_connection("grafana", base_url=server.url)))
        captured = run.captured(invocation)
        outcome = run(captured)

    assert captured.captured == {"version": 4, "folder_uid": "f1"}
    assert server.last.json == {
        "dashboard": {"title": "New", "uid": "abc", "id": None, "version": 4},
        "folderUid": "f1",
        "message": "m",
        "overwrite": False,
    }
    undo = BUILTIN.undo(captured, outcome.output)
    assert undo is not None
    assert (undo.action, undo.input) == ("dashboard_restore", {"uid": "abc", "version": 4})


def test_a_dashboard_that_was_not_there_is_undone_by_removing_it():
    invocation = an_invocation("grafana.dashboard_upsert", {"uid": "new", "dashboard": {"title": "New"}})
    with a_server(STORED) as server:
        captured = Runs(a_toolbox(a_connection("grafana", base_url=server.url))).captured(invocation)

    undo = BUILTIN.undo(captured, {"version": 1})

    assert captured.captured == {"version": None, "folder_uid": None}
    assert undo is not None
    assert (undo.action, undo.input) == ("dashboard_delete", {"uid": "new"})


def test_a_removed_dashboard_comes_back_as_it_was():
    invocation = an_invocation("grafana.dashboard_delete", {"uid": "abc"})
    with a_server(STORED) as server:
        run = Runs(a_toolbox(a_connection("grafana", base_url=server.url)))
        captured = run.captured(invocation)
        undo = BUILTIN.undo(captured, run(captured).output)
        assert undo is not None
        run(undo)

    assert server.last.json == {"dashboard": {**DASHBOARD, "id": None}, "folderUid": "f1", "overwrite": True}


def test_dashboards_are_restored_read_and_listed():
    restored, asked_restore = asked("grafana.dashboard_restore", {"uid": "abc", "version": 3}, STORED)
    read, _ = asked("grafana.dashboard_get", {"uid": "abc"}, STORED)
    listed, asked_list = asked("grafana.dashboard_list", {"query": "check out", "folder_uids": ["f1"]}, STORED)

    assert (restored.output["version"], asked_restore[0].json) == (6, {"version": 3})
    assert (read.output["dashboard"], read.output["folder_uid"]) == (DASHBOARD, "f1")
    assert (asked_list[0].query, listed.output["count"]) == (
        {"type": "dash-db", "query": "check out", "folderUIDs": "f1"},
        1,
    )


def application(
    phase: str = "Succeeded", sync: str = "Synced", health: str = "Healthy", **fields: Any
) -> dict[str, Any]:
    return {
        "metadata": {"name": "checkout"},
        "spec": {"project": "payments", "source": {"targetRevision": "main"}},
        "status": {
            "sync": {"status": sync, "revision": "abc123"},
            "health": {"status": health},
            "operationState": {
                "phase": phase,
                "message": "m",
                "operation": {"sync": {"revision": "v2"}},
                "syncResult": {"revision": "abc123"},
            },
            "history": [{"id": 6, "revision": "old"}, {"id": 7, "revision": "abc123"}],
        },
        **fields,
    }


AT = "/api/v1/applications/checkout"


def test_the_status_of_an_application_is_read_in_its_project():
    outcome, exchanges = asked(
        "argocd.status",
        {"app": "checkout", "refresh": "normal"},
        {("GET", AT): Reply(application())},
        context={"argocd_project": "payments"},
    )

    assert exchanges[0].query == {"refresh": "normal", "project": "payments"}
    assert {name: outcome.output[name] for name in ("sync", "health", "history_id", "auto_sync", "in_progress")} == {
        "sync": "Synced",
        "health": "Healthy",
        "history_id": 7,
        "auto_sync": False,
        "in_progress": False,
    }


def test_a_sync_asks_for_the_revision_it_was_given():
    outcome, exchanges = asked(
        "argocd.sync",
        {"app": "checkout", "revision": "v2"},
        {("POST", f"{AT}/sync"): Reply(application("Running", operation={"sync": {}}))},
    )

    assert exchanges[0].json == {
        "name": "checkout",
        "revision": "v2",
        "dryRun": False,
        "prune": False,
        "strategy": {"hook": {"force": False}},
    }
    assert outcome.output["in_progress"] is True


@pytest.mark.parametrize(("action", "mode"), [("argocd.sync", Mode.DRY_RUN), ("argocd.sync-dry-run", Mode.RUN)])
def test_a_dry_run_says_so(action: str, mode: Mode):
    outcome, exchanges = asked(action, {"app": "checkout"}, {("POST", f"{AT}/sync"): Reply(application())}, mode=mode)

    assert (outcome.kind, exchanges[0].json["dryRun"]) == (OutcomeKind.SUCCEEDED, True)


def test_a_sync_is_undone_by_the_deployment_before_it():
    invocation = an_invocation("argocd.sync", {"app": "checkout"})
    answers = {("GET", AT): Reply(application()), ("POST", f"{AT}/rollback"): Reply(application("Running"))}
    with a_server(answers) as server:
        run = Runs(a_toolbox(a_connection("argocd", base_url=server.url)))
        undo = BUILTIN.undo(run.captured(invocation), {})
        assert undo is not None
        outcome = run(undo)

    assert (outcome.kind, server.last.json) == (
        OutcomeKind.SUCCEEDED,
        {"name": "checkout", "id": 7, "prune": False, "dryRun": False},
    )


def test_waiting_asks_until_it_is_so():
    states = iter(
        [
            application("Running", "OutOfSync", "Progressing", operation={}),
            application("Succeeded", "Synced", "Healthy"),
        ]
    )

    outcome, exchanges = asked("argocd.wait", {"app": "checkout", "revision": "v2"}, lambda _: Reply(next(states)))

    assert (outcome.kind, len(exchanges), exchanges[0].query) == (OutcomeKind.SUCCEEDED, 2, {"refresh": "normal"})


@pytest.mark.parametrize("phase", ["Failed", "Error"])
def test_waiting_ends_when_the_operation_failed(phase: str):
    outcome, exchanges = asked(
        "argocd.wait", {"app": "checkout"}, {("GET", AT): Reply(application(phase, "OutOfSync"))}
    )

    assert (outcome.kind, len(exchanges)) == (OutcomeKind.FAILED, 1)
    assert "phase" in outcome.detail


def test_waiting_for_another_revision_does_not_end_well():
    outcome, _ = asked(
        "argocd.wait", {"app": "checkout", "revision": "v3"}, {("GET", AT): Reply(application())}, deadline_s=1
    )

    assert outcome.kind is OutcomeKind.FAILED


def test_a_preview_tells_what_differs_but_no_content():
    items = [
        {
            "kind": "Deployment",
            "name": "x",
            "namespace": "shop",
            "liveState": "{secret}",
            "targetState": "{}",
            "modified": True,
        },
        {"kind": "Job", "name": "y", "liveState": "null", "targetState": "{}"},
    ]
    outcome, _ = asked(
        "argocd.sync-preview", {"app": "checkout"}, {("GET", f"{AT}/managed-resources"): Reply({"items": items})}
    )

    assert outcome.output["modified"] == 1
    assert [each["missing"] for each in outcome.output["resources"]] == [False, True]
    assert "{secret}" not in str(outcome.output)


def test_applications_are_listed():
    outcome, exchanges = asked(
        "argocd.list",
        {"selector": "team=payments"},
        {("GET", "/api/v1/applications"): Reply({"items": [application()]})},
        context={"argocd_project": "payments"},
    )

    assert (exchanges[0].query, outcome.output["count"]) == ({"projects": "payments", "selector": "team=payments"}, 1)


def test_a_project_token_is_kept_and_not_told(tmp_path: Any):
    value = {"project": "payments", "role": "ci", "token_id": "ci-1", "expires_in_s": 3600}
    with a_server(
        {("POST", "/api/v1/projects/payments/roles/ci/token"): Reply({"token": "the-project-token"})}
    ) as server:
        run = Runs(a_toolbox(a_connection("argocd", base_url=server.url, secret_folder=str(tmp_path))))
        outcome = run(an_invocation("argocd.project_token_create", value))

    assert server.last.json == {"project": "payments", "role": "ci", "id": "ci-1", "expiresIn": 3600}
    assert "the-project-token" not in outcome.model_dump_json()
    assert next(tmp_path.iterdir()).read_text() == "the-project-token"


def test_a_project_token_is_deleted_by_its_id():
    outcome, exchanges = asked(
        "argocd.project_token_delete",
        {"project": "payments", "role": "ci", "token_id": "ci-1"},
        {("DELETE", "/api/v1/projects/payments/roles/ci/token/0"): Reply({})},
    )

    assert (outcome.kind, exchanges[0].query) == (OutcomeKind.SUCCEEDED, {"id": "ci-1"})


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
