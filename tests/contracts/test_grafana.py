"""Grafana: what is asked of it, as it documents it, and what is made of its answers."""

import pytest
from tests.builders.asking import asked
from tests.builders.tools import (
    BUILTIN,
    Reply,
    Runs,
    a_connection,
    a_server,
    a_toolbox,
    an_invocation,
)

from carapulse.kernel.errors import Unavailable
from carapulse.tools.model import Mode, OutcomeKind

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
