"""Every collector, on answers as its system gives them: what becomes of them, and that two such systems coexist."""

import threading
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest
from tests.builders.tools import BUILTIN, Exchange, Reply, a_connection, a_server, a_toolbox, an_invocation

from carapulse.adapters.secrets.local import LocalSecrets
from carapulse.adapters.web.client import HttpxWeb
from carapulse.collection.definitions import Definitions
from carapulse.collection.drawing import Picture, draw
from carapulse.collection.model import Collector, CollectorTerms
from carapulse.collection.reading import Reader
from carapulse.integrations import builtin_manifests
from carapulse.kernel.call import Actor, Call
from carapulse.kernel.context import Context
from carapulse.tools.connections import Connections
from carapulse.tools.expressions import look_up
from carapulse.tools.model import OutcomeKind
from carapulse.tools.ports import Command, Ended, EndedBy
from carapulse.tools.toolbox import Toolbox

DEFINITIONS = Definitions.beside(builtin_manifests(), BUILTIN)
EU = {"environment": "dev", "cluster_id": "arn:aws:eks:eu-1:1:cluster/eu"}
HIS = {"settings": {"kubeconfig": "/etc/kubeconfig", "context": "eu"}}


def a_workload(name: str, **labels: str) -> str:
    pods = ", ".join(f'"{key}": "{value}"' for key, value in labels.items())
    return (
        f'{{"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {{"name": "{name}", "namespace": "shop",'
        f' "labels": {{"app.kubernetes.io/name": "{name}", "helm.sh/chart": "shop-1.4.2"}}, "uid": "1"}},'
        f' "spec": {{"replicas": 2, "selector": {{"matchLabels": {{{pods}}}}},'
        f' "template": {{"metadata": {{"labels": {{{pods}}}}}}}}}}}'
    )


def a_list(*items: str) -> str:
    """Return what `kubectl get --output=json` writes about several things."""
    joined = ", ".join(items)
    return f'{{"apiVersion": "v1", "items": [{joined}], "kind": "List", "metadata": {{"resourceVersion": ""}}}}'


def a_service(name: str, selector: str) -> str:
    return f'{{"kind": "Service", "metadata": {{"name": "{name}", "namespace": "shop"}}, "spec": {{{selector}}}}}'


SAID_BY_KUBECTL = {
    "namespaces": a_list('{"kind": "Namespace", "metadata": {"name": "shop", "labels": {"team": "web"}}, "spec": {}}'),
    "deployments": a_list(a_workload("checkout", app="checkout", tier="web"), a_workload("worker", app="worker")),
    "statefulsets": a_list(a_workload("ledger", app="checkout", tier="data")),
    "daemonsets": a_list(),
    "services": a_list(
        a_service("checkout", '"selector": {"app": "checkout", "tier": "web"}'),
        a_service("outside", '"type": "ExternalName", "externalName": "example.org"'),
        a_service("all", '"selector": {"app": "checkout"}'),
    ),
}
SAID_BY_HELM = (
    '[{"name":"checkout","namespace":"shop","revision":"4","updated":"2026-01-01 00:00:00.0 +0000 UTC",'
    '"status":"deployed","chart":"checkout-1.4.2","app_version":"1.4.2"}]'
)
TARGETS = {
    "status": "success",
    "data": {
        "activeTargets": [
            {
                "discoveredLabels": {"__address__": "10.0.0.1:9100"},
                "labels": {"instance": "10.0.0.1:9100", "job": "node"},
                "scrapePool": "node",
                "scrapeUrl": "http://10.0.0.1:9100/metrics",
                "lastError": "",
                "health": "up",
            },
            {"labels": {"instance": "10.0.0.2:9100", "job": "node"}, "scrapePool": "node", "health": "down"},
        ],
        "droppedTargets": [],
    },
}


def a_rule(severity: str) -> dict[str, Any]:
    labels = {"severity": severity, "team": "web"}
    return {"state": "inactive", "name": "Down", "query": "up == 0", "labels": labels, "alerts": [], "type": "alerting"}


RULES = {
    "status": "success",
    "data": {"groups": [{"name": "node", "file": "/etc/rules.yml", "rules": [a_rule("page"), a_rule("ticket")]}]},
}
APPLICATIONS = {
    "metadata": {"resourceVersion": "77"},
    "items": [
        {
            "metadata": {"name": name, "namespace": "argocd"},
            "spec": {"project": "default", "destination": destination},
            "status": {"sync": {"status": "Synced", "revision": "abc"}, "health": {"status": "Healthy"}},
        }
        for name, destination in (
            ("checkout", {"server": "https://kubernetes.default.svc", "namespace": "shop"}),
            ("far", {"server": "https://10.1.1.1", "namespace": "shop"}),
            ("named", {"name": "in-cluster", "namespace": "pay"}),
            ("whole", {"name": "in-cluster"}),
        )
    ],
}
FOLDERS = [
    {"id": 1, "uid": "f1", "title": "Web", "url": "/dashboards/f/f1/web", "type": "dash-folder", "tags": []},
    {"id": 2, "uid": "f2", "title": "Shop", "type": "dash-folder", "folderUid": "f1"},
]
DASHBOARDS = [
    {"uid": "d1", "title": "Checkout", "type": "dash-db", "tags": ["shop"], "folderUid": "f2", "folderTitle": "Shop"},
    {"uid": "d2", "title": "At the top", "type": "dash-db", "tags": []},
    {"uid": "d3", "title": "In a folder that we may not see", "type": "dash-db", "tags": [], "folderUid": "f9"},
]


@dataclass
class Programs:
    """Answers as kubectl and helm did."""

    commands: list[Command] = field(default_factory=list)

    def run(
        self,
        command: Command,
        *,
        on_line: Callable[[str], None],  # noqa: ARG002 - the port's shape
        cancelled: threading.Event,  # noqa: ARG002 - the port's shape
        deadline_s: float,  # noqa: ARG002 - the port's shape
    ) -> Ended:
        self.commands.append(command)
        said = SAID_BY_HELM if command.program == "helm" else SAID_BY_KUBECTL[command.arguments[-1]]
        return Ended(by=EndedBy.ITSELF, exit_code=0, stdout=said)


def pages(asked: Exchange) -> Reply:
    if asked.path == "/api/search":
        return Reply(FOLDERS if asked.query["type"] == "dash-folder" else DASHBOARDS)
    answers = {"/api/v1/targets": TARGETS, "/api/v1/rules": RULES, "/api/v1/applications": APPLICATIONS}
    return Reply(answers[asked.path])


def pictured(system: str, box: Toolbox, place: dict[str, str], given: dict[str, Any]) -> Picture:
    """Return what a collector makes of everything that it reads."""
    definition = DEFINITIONS.by_system[system]
    assert DEFINITIONS.schemas[system].faults(given) == ()
    call = Call(actor=Actor(id="x"), tenant="acme", at=datetime.now(UTC), trace="0" * 32)
    terms = CollectorTerms(system=system, context=Context.model_validate(place), input=given)
    ports: Any = SimpleNamespace(toolbox=box, catalogue=BUILTIN)
    reader = Reader(definition, Collector.of("c", terms, call), call, ports)
    answers: dict[str, list[Any]] = defaultdict(list)
    for ask in reader.asks():
        outcome = box.run(ask.invocation, on_line=print, cancelled=threading.Event(), deadline_s=10)
        assert (outcome.kind, outcome.detail) == (OutcomeKind.SUCCEEDED, "done")
        assert look_up(ask.read.whole, outcome.output) is True
        answers[ask.name].append(outcome.output)
    return draw(definition, {**reader.known, "place": reader.place()}, answers)


def seen(
    system: str, place: dict[str, str] | None = None, given: dict[str, Any] | None = None, name: str = "one"
) -> Picture:
    with a_server(pages) as server:
        if system in {"kubectl", "helm"}:
            connections = Connections((a_connection(system, **{**HIS, "name": name}),))
            box = Toolbox(BUILTIN, connections, Programs(), HttpxWeb(), LocalSecrets({}))
        else:
            box = a_toolbox(a_connection(system, base_url=server.url, name=name))
        return pictured(system, box, place or EU, given or {})


def nodes(picture: Picture) -> dict[str, tuple[str, dict[str, str]]]:
    return {each.id: (each.kind, each.labels) for each in picture.nodes}


def edges(picture: Picture) -> set[tuple[str, str, str]]:
    return {each.key for each in picture.edges}


@pytest.mark.parametrize("system", sorted(DEFINITIONS.by_system))
def test_what_one_system_has_is_never_taken_for_what_another_of_its_kind_has(system: str):
    here = seen(system, EU, name="one")
    there = seen(system, {"environment": "dev", "cluster_id": "us-1"}, name="two")

    assert here.nodes
    assert nodes(here).keys().isdisjoint(nodes(there))


@pytest.mark.parametrize("system", sorted(DEFINITIONS.by_system))
def test_an_edge_has_both_its_ends_in_the_same_report(system: str):
    picture = seen(system)

    ends = {end for start, end, _ in edges(picture)} | {start for start, _, _ in edges(picture)}
    assert ends
    assert ends <= nodes(picture).keys()


def test_a_cluster_has_namespaces_workloads_and_services_that_find_them_by_their_labels():
    picture = seen("kubectl")

    eu = "k8s/arn:aws:eks:eu-1:1:cluster%2Feu"
    assert {kind for kind, _ in nodes(picture).values()} == {
        "k8s.namespace",
        "k8s.deployment",
        "k8s.statefulset",
        "service",
    }
    kind, labels = nodes(picture)[f"{eu}/deployment/shop/checkout"]
    assert (kind, labels["namespace"], labels["helm.sh/chart"]) == ("k8s.deployment", "shop", "shop-1.4.2")
    targets = {(start, end) for start, end, relation in edges(picture) if relation == "targets"}
    assert targets == {
        (f"{eu}/service/shop/checkout", f"{eu}/deployment/shop/checkout"),
        (f"{eu}/service/shop/all", f"{eu}/deployment/shop/checkout"),
        (f"{eu}/service/shop/all", f"{eu}/statefulset/shop/ledger"),
    }
    assert (f"{eu}/namespace/shop", f"{eu}/statefulset/shop/ledger", "contains") in edges(picture)


def test_only_the_namespaces_that_are_wanted_are_looked_at():
    programs = Programs()
    box = Toolbox(BUILTIN, Connections((a_connection("kubectl", **HIS),)), programs, HttpxWeb(), LocalSecrets({}))

    pictured("kubectl", box, EU, {"namespaces": ["shop"]})

    asked = {command.arguments[-1]: command.arguments for command in programs.commands}
    assert "--all-namespaces" in asked.pop("namespaces")
    assert asked
    assert all("--namespace=shop" in arguments for arguments in asked.values())


def test_helm_tells_the_same_namespace_as_the_cluster_does():
    helm, kubectl = seen("helm"), seen("kubectl")

    namespace = "k8s/arn:aws:eks:eu-1:1:cluster%2Feu/namespace/shop"
    assert nodes(helm)[namespace] == nodes(kubectl)[namespace]
    (release,) = [labels for kind, labels in nodes(helm).values() if kind == "helm.release"]
    assert (release["chart"], release["status"]) == ("checkout-1.4.2", "deployed")


def test_an_application_targets_the_namespace_of_its_cluster_if_we_know_which_that_is():
    known = {"clusters": [{"destination": "https://10.1.1.1", "cluster_id": "far"}]}

    own = "k8s/arn:aws:eks:eu-1:1:cluster%2Feu/namespace"
    assert edges(seen("argocd")) == {
        ("argocd/one/app/argocd/checkout", f"{own}/shop", "targets"),
        ("argocd/one/app/argocd/named", f"{own}/pay", "targets"),
    }
    assert edges(seen("argocd", given=known)) == {("argocd/one/app/argocd/far", "k8s/far/namespace/shop", "targets")}


def test_prometheus_tells_what_it_scrapes_whether_it_can_and_its_alerts():
    told = nodes(seen("prometheus"))

    assert told["prometheus/one/target/node/10.0.0.2:9100"][1]["health"] == "down"
    assert told["prometheus/one/alert/Down"] == ("prometheus.alert", {"prometheus": "one", "team": "web"})
    assert "prometheus/one/job/node" in told


def test_a_dashboard_is_in_its_folder_and_a_folder_in_its_own():
    assert edges(seen("grafana")) == {
        ("grafana/one/own/folder/f1", "grafana/one/own/folder/f2", "contains"),
        ("grafana/one/own/folder/f2", "grafana/one/own/dashboard/d1", "contains"),
    }


def test_folders_are_listed_beside_dashboards():
    with a_server(pages) as server:
        box = a_toolbox(a_connection("grafana", base_url=server.url))
        invocation = an_invocation("grafana.folder_list", {"limit": 10})
        outcome = box.run(invocation, on_line=print, cancelled=threading.Event(), deadline_s=10)

    assert server.last.query == {"type": "dash-folder", "limit": "10"}
    assert outcome.output["folders"][1] == {"uid": "f2", "title": "Shop", "folder_uid": "f1"}


def test_what_is_scraped_is_listed():
    with a_server(pages) as server:
        box = a_toolbox(a_connection("prometheus", base_url=server.url))
        outcome = box.run(
            an_invocation("prometheus.targets", {}), on_line=print, cancelled=threading.Event(), deadline_s=10
        )

    assert server.last.query == {"state": "active"}
    assert outcome.output["targets"][0] == {"job": "node", "instance": "10.0.0.1:9100", "health": "up"}
