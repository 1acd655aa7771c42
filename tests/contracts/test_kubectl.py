"""kubectl, for real, against a server that answers as a Kubernetes API server does (answers recorded from 1.20 and 1.32)."""

import copy
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.builders.tools import (
    BUILTIN,
    Exchange,
    Reply,
    Runs,
    a_certificate,
    a_connection,
    a_server,
    a_toolbox,
    an_invocation,
)

from carapulse.kernel.errors import Unavailable
from carapulse.tools.errors import InputRefused
from carapulse.tools.model import Mode, OutcomeKind

PLACE = {"namespace": "shop", "cluster_id": "eu-1"}
WEB = {"resource": "deployment/web"}
DEPLOYMENT = {
    "apiVersion": "apps/v1",
    "kind": "Deployment",
    "metadata": {"name": "web", "namespace": "shop", "resourceVersion": "41", "generation": 3},
    "spec": {
        "replicas": 3,
        "selector": {"matchLabels": {"app": "web"}},
        "template": {
            "metadata": {"labels": {"app": "web"}},
            "spec": {"containers": [{"name": "web", "image": "web:1"}]},
        },
    },
    "status": {
        "observedGeneration": 3,
        "replicas": 3,
        "readyReplicas": 3,
        "updatedReplicas": 3,
        "availableReplicas": 3,
    },
}
VERBS = ["get", "list", "patch", "update", "watch"]
DISCOVERY = {
    "/api": {"kind": "APIVersions", "versions": ["v1"]},
    "/api/v1": {
        "kind": "APIResourceList",
        "groupVersion": "v1",
        "resources": [{"name": "pods", "singularName": "pod", "namespaced": True, "kind": "Pod", "verbs": VERBS}],
    },
    "/apis": {
        "kind": "APIGroupList",
        "apiVersion": "v1",
        "groups": [
            {
                "name": "apps",
                "versions": [{"groupVersion": "apps/v1", "version": "v1"}],
                "preferredVersion": {"groupVersion": "apps/v1", "version": "v1"},
            }
        ],
    },
    "/apis/apps/v1": {
        "kind": "APIResourceList",
        "groupVersion": "apps/v1",
        "resources": [
            {
                "name": "deployments",
                "singularName": "deployment",
                "namespaced": True,
                "kind": "Deployment",
                "verbs": VERBS,
            },
            {
                "name": "deployments/scale",
                "singularName": "",
                "namespaced": True,
                "kind": "Scale",
                "group": "autoscaling",
                "version": "v1",
                "verbs": VERBS,
            },
        ],
    },
}
DEPLOYMENTS = "/apis/apps/v1/namespaces/shop/deployments"


def a_status(code: int, reason: str) -> Reply:
    return Reply(
        {
            "kind": "Status",
            "apiVersion": "v1",
            "status": "Failure",
            "code": code,
            "reason": reason,
            "message": f"{reason} here",
        },
        code,
    )


class Cluster:
    """One deployment, and the part of the API that concerns it."""

    def __init__(self) -> None:
        self.deployment: dict[str, Any] = copy.deepcopy(DEPLOYMENT)
        self.broken: Reply | None = None

    @property
    def replicas(self) -> int:
        """How many there should be."""
        return int(self.deployment["spec"]["replicas"])

    def __call__(self, asked: Exchange) -> Reply:
        if asked.path in DISCOVERY:
            return Reply(DISCOVERY[asked.path])
        if self.broken is not None:
            return self.broken
        if asked.path == f"{DEPLOYMENTS}/web":
            return Reply(self.deployment)
        if asked.path == f"{DEPLOYMENTS}/web/scale":
            return self.scale(asked)
        if asked.path == DEPLOYMENTS:
            return self.list(asked)
        return a_status(404, "NotFound")

    def scale(self, asked: Exchange) -> Reply:
        """Read or set the replicas; a dry run sets nothing."""
        if asked.method != "GET" and "dryRun" not in asked.query:
            self.deployment["spec"]["replicas"] = asked.json["spec"].get("replicas", 0)  # Go leaves out a zero
        metadata = self.deployment["metadata"]
        return Reply(
            {
                "kind": "Scale",
                "apiVersion": "autoscaling/v1",
                "metadata": metadata,
                "spec": {"replicas": self.replicas},
                "status": {"replicas": self.replicas},
            }
        )

    def list(self, asked: Exchange) -> Reply:
        """List, or watch: what there is, one change, and then nothing for long."""
        if asked.query.get("sendInitialEvents"):
            return a_status(422, "Invalid")
        if asked.query.get("watch"):
            changed = copy.deepcopy(self.deployment)
            changed["metadata"]["resourceVersion"] = "42"
            events = [{"type": "ADDED", "object": self.deployment}, {"type": "MODIFIED", "object": changed}]
            return Reply("\n".join(map(json.dumps, events)).encode() + b"\n", hold_s=5)
        return Reply(
            {
                "kind": "DeploymentList",
                "apiVersion": "apps/v1",
                "metadata": {"resourceVersion": "41"},
                "items": [self.deployment],
            }
        )


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[tuple[Cluster, Runs, list[Exchange]]]:
    state = Cluster()
    certificate = a_certificate(tmp_path)
    with a_server(state, certificate) as server:
        entries = {
            "clusters": [{"name": "c", "cluster": {"server": server.url, "certificate-authority": str(certificate)}}],
            "users": [{"name": "u", "user": {"token": "token-of-the-cluster"}}],
            "contexts": [{"name": "eu", "context": {"cluster": "c", "user": "u", "namespace": "default"}}],
        }
        (tmp_path / "kubeconfig").write_text(
            json.dumps({"apiVersion": "v1", "kind": "Config", "current-context": "none", **entries})
        )
        connection = a_connection(
            "kubectl",
            match={"tenant": "acme", "cluster_id": "eu-1"},
            settings={"kubeconfig": str(tmp_path / "kubeconfig"), "context": "eu"},
        )
        yield state, Runs(a_toolbox(connection)), server.exchanges


def test_scaling_sets_the_replicas_in_the_namespace_of_the_plan(cluster):
    state, run, asked = cluster

    outcome = run(an_invocation("kubectl.scale", {**WEB, "replicas": 5}, context=PLACE))

    assert (outcome.kind, state.replicas) == (OutcomeKind.SUCCEEDED, 5)
    assert asked[-1].path == f"{DEPLOYMENTS}/web/scale"


def test_the_capture_sees_replicas_and_version_and_undo_restores_them(cluster):
    state, run, _ = cluster
    invocation = run.captured(an_invocation("kubectl.scale", {**WEB, "replicas": 0}, context=PLACE))
    assert (invocation.captured["replicas"], invocation.captured["resource_version"]) == (3, "41")
    done = run(invocation)
    assert state.replicas == 0

    undo = BUILTIN.undo(invocation, done.output)

    assert undo is not None
    assert run(undo).kind is OutcomeKind.SUCCEEDED
    assert state.replicas == 3


def test_undo_back_to_nothing_works_too(cluster):
    state, run, _ = cluster
    state.deployment["spec"]["replicas"] = 0
    invocation = run.captured(an_invocation("kubectl.scale", {**WEB, "replicas": 2}, context=PLACE))
    run(invocation)

    undo = BUILTIN.undo(invocation)

    assert undo is not None
    assert run(undo).kind is OutcomeKind.SUCCEEDED
    assert state.replicas == 0


def test_replicas_that_changed_after_they_were_looked_at_are_left_alone(cluster):
    state, run, _ = cluster
    invocation = run.captured(an_invocation("kubectl.scale", {**WEB, "replicas": 5}, context=PLACE))
    state.deployment["spec"]["replicas"] = 4

    outcome = run(invocation)

    assert (outcome.kind, outcome.unchanged, state.replicas) == (OutcomeKind.FAILED, True, 4)
    assert "Expected replicas to be 3, was 4" in outcome.text


def test_a_dry_run_changes_nothing(cluster):
    state, run, asked = cluster

    outcome = run(an_invocation("kubectl.scale", {**WEB, "replicas": 5}, context=PLACE, mode=Mode.DRY_RUN))

    assert (outcome.kind, state.replicas, asked[-1].query["dryRun"]) == (OutcomeKind.SUCCEEDED, 3, "All")


def test_the_probe_tells_whether_the_replicas_are_set(cluster):
    state, run, _ = cluster
    probe = an_invocation("kubectl.scale", {**WEB, "replicas": 5}, context=PLACE, mode=Mode.PROBE)
    assert run(probe).kind is OutcomeKind.FAILED

    state.deployment["spec"]["replicas"] = 5

    assert run(probe).kind is OutcomeKind.SUCCEEDED


def test_a_rollout_that_is_complete_is_told(cluster):
    _, run, _ = cluster

    outcome = run(an_invocation("kubectl.rollout-status", {**WEB, "timeout_seconds": 10}, context=PLACE))

    assert outcome.kind is OutcomeKind.SUCCEEDED
    assert "successfully rolled out" in outcome.output["message"]


def test_a_rollout_that_takes_too_long_fails(cluster):
    state, run, _ = cluster
    state.deployment["status"].update(updatedReplicas=1, availableReplicas=1)

    outcome = run(an_invocation("kubectl.rollout-status", {**WEB, "timeout_seconds": 1}, context=PLACE))

    assert outcome.kind is OutcomeKind.FAILED


def test_a_resource_is_read_as_json(cluster):
    _, run, _ = cluster

    outcome = run(an_invocation("kubectl.get", WEB, context=PLACE))

    assert (outcome.kind, outcome.output["spec"]["replicas"]) == (OutcomeKind.SUCCEEDED, 3)


def test_a_selector_may_be_set_based(cluster):
    _, run, asked = cluster

    outcome = run(
        an_invocation("kubectl.get", {"resource": "deployments", "selector": "app in (web, api),!old"}, context=PLACE)
    )

    assert (len(outcome.output["items"]), asked[-1].query["labelSelector"]) == (1, "app in (web, api),!old")


def test_a_missing_resource_is_a_failure(cluster):
    _, run, _ = cluster

    outcome = run(an_invocation("kubectl.get", {"resource": "deployment/none"}, context=PLACE))

    assert (outcome.kind, outcome.exit_code) == (OutcomeKind.FAILED, 1)


def test_a_watch_collects_changes_for_as_long_as_it_was_asked_to(cluster):
    _, run, _ = cluster

    outcome = run(an_invocation("kubectl.watch", {**WEB, "timeout_seconds": 2}, context=PLACE))

    assert outcome.kind is OutcomeKind.SUCCEEDED
    assert [event["type"] for event in outcome.output["events"]] == ["ADDED", "MODIFIED"]


def test_the_token_of_the_cluster_is_used_and_never_told(cluster):
    _, run, asked = cluster

    outcome = run(an_invocation("kubectl.get", WEB, context=PLACE))

    assert asked[-1].headers["authorization"] == "Bearer token-of-the-cluster"
    assert "token-of-the-cluster" not in outcome.model_dump_json() + "".join(run.lines)


@pytest.mark.parametrize(
    ("reply", "kind"),
    [(a_status(403, "Forbidden"), OutcomeKind.FAILED), (a_status(500, "InternalError"), OutcomeKind.UNKNOWN)],
)
def test_an_error_of_the_server_leaves_a_write_failed_or_unknown(cluster, reply: Reply, kind: OutcomeKind):
    state, run, _ = cluster
    state.broken = reply

    outcome = run(an_invocation("kubectl.scale", {**WEB, "replicas": 5}, context=PLACE))

    assert (outcome.kind, outcome.unchanged) == (kind, kind is OutcomeKind.FAILED)


def test_a_cluster_that_is_away_is_unavailable(tmp_path: Path):
    entries = {
        "clusters": [{"name": "c", "cluster": {"server": "http://127.0.0.1:1"}}],
        "contexts": [{"name": "eu", "context": {"cluster": "c"}}],
    }
    (tmp_path / "kubeconfig").write_text(json.dumps({"apiVersion": "v1", "kind": "Config", **entries}))
    run = Runs(
        a_toolbox(a_connection("kubectl", settings={"kubeconfig": str(tmp_path / "kubeconfig"), "context": "eu"}))
    )

    with pytest.raises(Unavailable):
        run(an_invocation("kubectl.get", WEB, context=PLACE))


def test_a_namespace_must_be_said(cluster):
    _, run, asked = cluster

    with pytest.raises(InputRefused):
        run(an_invocation("kubectl.scale", {**WEB, "replicas": 5}, context={"cluster_id": "eu-1"}))

    assert asked == []
