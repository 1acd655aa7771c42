"""What can be said of every action before it runs. Some of these walk all there is."""

from typing import Any

import pytest
from tests.builders.tools import BUILTIN, an_invocation

from carapulse.kernel.context import Context
from carapulse.tools.errors import UndoUnknown, UnknownAction
from carapulse.tools.manifest import Action
from carapulse.tools.model import Effect, Reversibility, Risk

PLACE = Context(environment="dev", namespace="shop", cluster_id="eu-1")
ACTIONS = [
    (tool, name, action) for tool, manifest in BUILTIN.manifests.items() for name, action in manifest.actions.items()
]
EVERY = pytest.mark.parametrize(
    ("tool", "name", "action"), ACTIONS, ids=[f"{tool}.{name}" for tool, name, _ in ACTIONS]
)

PROMISED = [
    "git.branch",
    "git.add",
    "git.commit",
    "git.push",
    "git.status",
    "git.checkout",
    "git.merge",
    "git.fetch",
    "git.commit_file",
    "git.read_file",
    "http.probe",
    "prometheus.query",
    "prometheus.query_range",
    "prometheus.rules",
    "prometheus.query_exemplars",
    "kubectl.scale",
    "kubectl.rollout-status",
    "kubectl.get",
    "kubectl.watch",
    "helm.status",
    "helm.list",
    "helm.get",
    "helm.upgrade",
    "helm.rollback",
    "argocd.sync",
    "argocd.sync-dry-run",
    "argocd.sync-preview",
    "argocd.wait",
    "argocd.rollback",
    "argocd.status",
    "argocd.list",
    "argocd.project_token_create",
    "argocd.project_token_delete",
    "grafana.annotate",
    "grafana.dashboard_get",
    "grafana.dashboard_upsert",
    "grafana.dashboard_list",
    "grafana.dashboard_delete",
    "tempo.query",
    "tempo.traceql",
    "tempo.trace_by_id",
    "vault.login_k8s",
    "vault.login_approle",
    "vault.renew",
    "vault.revoke",
    "vault.health",
    "vault.audit_enable",
    "vault.token_renew",
    "vault.kv_put",
    "vault.kv_get",
    "vault.kv_rollback",
]


def test_every_promised_action_is_there():
    assert set(PROMISED) <= {f"{tool}.{name}" for tool, name, _ in ACTIONS}


@EVERY
def test_the_example_of_an_action_is_valid_and_an_unknown_field_is_not(tool: str, name: str, action: Action):
    assert BUILTIN.faults(tool, name, action.example, context=PLACE) == ()

    faults = BUILTIN.faults(tool, name, {**action.example, "unheard_of": 1}, "/steps/0/input")

    assert [fault.pointer for fault in faults] == ["/steps/0/input/unheard_of"]


@EVERY
def test_each_string_of_an_example_may_not_hold_a_nul_or_an_option(tool: str, name: str, action: Action):
    for field, value in action.example.items():
        if isinstance(value, str):
            assert BUILTIN.faults(tool, name, {**action.example, field: value + "\0"}), field


@EVERY
def test_a_write_says_how_it_is_undone_and_what_happens_after_a_crash(tool: str, name: str, action: Action):
    if action.effect is Effect.READ:
        assert (action.risk, action.reversibility) == (Risk.READ, Reversibility.NONE_NEEDED)
        return

    assert action.risk > Risk.READ
    assert (action.undo is not None) or action.reversibility in {Reversibility.IRREVERSIBLE, Reversibility.NONE_NEEDED}
    assert [action.idempotent, action.probe is not None, action.person_resolves].count(True) >= 1


@EVERY
def test_a_write_names_its_targets(tool: str, name: str, action: Action):
    targets = BUILTIN.targets(tool, name, action.example, PLACE)

    assert bool(targets.names) is (action.effect is not Effect.READ)
    assert targets.unbounded is False


@EVERY
def test_an_undo_that_needs_what_was_captured_is_unknown_without_it(tool: str, name: str, action: Action):
    if action.undo is None or action.capture is None:
        return

    with pytest.raises(UndoUnknown):
        BUILTIN.undo(an_invocation(f"{tool}.{name}", action.example, context={"namespace": "shop"}))


@EVERY
def test_an_action_is_described_as_anyone_may_know_it(tool: str, name: str, action: Action):
    described = next(each for each in BUILTIN.describe() if each["tool"] == tool)
    actions = described["actions"]
    assert isinstance(actions, list)
    found = next(each for each in actions if isinstance(each, dict) and each["name"] == name)

    assert (found["effect"], found["risk"], found["description"]) == (action.effect, action.risk, action.description)
    assert found["input_schema"]


@pytest.mark.parametrize(
    ("tool", "action"),
    [
        ("kubectl", "delete"),
        ("kubectl", "Scale"),
        ("kubectl", "scale "),
        ("kube", "scale"),
        ("", ""),
        ("kubectl", "get-target"),
        ("aws", "create-listener"),
    ],
)
def test_names_are_matched_exactly(tool: str, action: str):
    with pytest.raises(UnknownAction):
        BUILTIN.action(tool, action)


@pytest.mark.parametrize(
    ("action", "value", "risk"),
    [
        ("kubectl.scale", {"resource": "deployment/x", "replicas": 0}, Risk.HIGH),
        ("kubectl.scale", {"resource": "deployment/x", "replicas": 3}, Risk.LOW),
        ("kubectl.scale", {"resource": "deployment/x", "replicas": 21}, Risk.MEDIUM),
        ("kubectl.scale", {"resource": "deployment/x", "replicas": 101}, Risk.HIGH),
        ("argocd.sync", {"app": "x"}, Risk.MEDIUM),
        ("argocd.sync", {"app": "x", "prune": True}, Risk.HIGH),
        ("argocd.sync", {"app": "x", "prune": False}, Risk.MEDIUM),
        ("helm.upgrade", {"release": "x", "chart": "x", "version": "1", "force": True}, Risk.HIGH),
        ("vault.revoke", {"lease_id": "a/b"}, Risk.HIGH),
        ("vault.audit_enable", {"path": "file", "type": "file"}, Risk.HIGH),
        ("argocd.project_token_create", {"project": "p", "role": "r", "token_id": "t"}, Risk.HIGH),
        ("prometheus.query", {"query": "delete_total"}, Risk.READ),
        ("http.probe", {"url": "http://terminate/delete"}, Risk.READ),
    ],
)
def test_risk_comes_from_the_action_and_its_input(action: str, value: dict[str, Any], risk: Risk):
    tool, name = action.split(".")

    assert BUILTIN.risk(tool, name, value) is risk


def test_risks_are_in_order():
    assert max(Risk.READ, Risk.HIGH, Risk.LOW, Risk.MEDIUM) is Risk.HIGH
    assert sorted(Risk, key=lambda risk: risk.rank) == [Risk.READ, Risk.LOW, Risk.MEDIUM, Risk.HIGH]
    assert Risk.MEDIUM > Risk.LOW > Risk.READ
    assert not Risk.READ > Risk.READ


def test_targets_are_named_by_place_and_input():
    scale = BUILTIN.targets("kubectl", "scale", {"resource": "deployment/web", "replicas": 1}, PLACE)
    sync = BUILTIN.targets("argocd", "sync", {"app": "web"}, Context(environment="dev"))

    assert (scale.names, scale.unbounded) == (("kubectl:eu-1:shop:deployment/web",), False)
    assert sync.names == ("argocd:default:web",)


def test_a_target_without_its_part_is_unbounded():
    targets = BUILTIN.targets(
        "kubectl", "scale", {"resource": "deployment/web", "replicas": 1}, Context(environment="dev")
    )

    assert targets.unbounded is True


def test_an_input_that_contradicts_the_context_is_refused():
    faults = BUILTIN.faults(
        "kubectl", "scale", {"resource": "deployment/x", "replicas": 1, "namespace": "other"}, "/input", PLACE
    )

    assert [(fault.pointer, fault.code) for fault in faults] == [("/input", "refused")]


@pytest.mark.parametrize("resource", ["secrets", "secret/x", "secrets/x", "secrets.v1./x"])
def test_secrets_of_a_cluster_are_not_read(resource: str):
    assert BUILTIN.faults("kubectl", "get", {"resource": resource}, "/input", PLACE)


OPTIONS = ["-", "--", "-n", "--kubeconfig=/x", "--token=x", "--output=/etc/x", "--upload-pack=x", "--post-renderer=x"]


@pytest.mark.parametrize("option", OPTIONS)
@pytest.mark.parametrize(
    ("action", "field"),
    [
        ("kubectl.scale", "resource"),
        ("kubectl.get", "resource"),
        ("kubectl.rollout-status", "resource"),
        ("helm.upgrade", "release"),
        ("helm.upgrade", "version"),
        ("helm.upgrade", "chart"),
        ("helm.status", "release"),
        ("git.commit_file", "branch"),
        ("git.push", "branch"),
        ("git.checkout", "ref"),
        ("git.commit_file", "repo"),
    ],
)
def test_a_value_that_looks_like_an_option_is_refused(action: str, field: str, option: str):
    tool, name = action.split(".")
    example = BUILTIN.action(tool, name).example

    faults = BUILTIN.faults(tool, name, {**example, field: option}, "/input")

    assert {fault.pointer for fault in faults} == {f"/input/{field}"}


def test_a_large_input_is_refused():
    values = {f"k{number}": "x" * 2000 for number in range(190)}

    faults = BUILTIN.faults("helm", "upgrade", {"release": "x", "chart": "x", "version": "1", "values": values})

    assert [fault.code for fault in faults] == ["too-large"]


def test_an_undo_that_would_write_a_redaction_mark_is_unknown():
    invocation = an_invocation(
        "grafana.dashboard_delete",
        {"uid": "x"},
        captured={"dashboard": {"title": "x", "token": "[redacted]"}, "folder_uid": ""},
    )

    with pytest.raises(UndoUnknown):
        BUILTIN.undo(invocation)
