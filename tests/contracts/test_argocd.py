"""Argo CD: what is asked of it, as it documents it, and what is made of its answers."""

from typing import Any

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

from carapulse.tools.model import Mode, OutcomeKind


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
