"""A Kubernetes cluster as the real kubectl sees it: what it runs, served as an API server does."""

import json
from pathlib import Path
from typing import Any

from tests.builders.tools import Exchange, Reply, Server

VERBS = ["get", "list"]
KINDS = {
    "namespaces": ("Namespace", False, "/api/v1"),
    "services": ("Service", True, "/api/v1"),
    "deployments": ("Deployment", True, "/apis/apps/v1"),
    "statefulsets": ("StatefulSet", True, "/apis/apps/v1"),
    "daemonsets": ("DaemonSet", True, "/apis/apps/v1"),
}


def _resources(group: str) -> dict[str, Any]:
    version = group.removeprefix("/apis/").removeprefix("/api/")
    found = [
        {"name": name, "singularName": kind.lower(), "namespaced": namespaced, "kind": kind, "verbs": VERBS}
        for name, (kind, namespaced, where) in KINDS.items()
        if where == group
    ]
    return {"kind": "APIResourceList", "groupVersion": version, "resources": found}


_APPS = {"groupVersion": "apps/v1", "version": "v1"}
_GROUPS = [{"name": "apps", "versions": [_APPS], "preferredVersion": _APPS}]
DISCOVERY = {
    "/api": {"kind": "APIVersions", "versions": ["v1"]},
    "/api/v1": _resources("/api/v1"),
    "/apis": {"kind": "APIGroupList", "apiVersion": "v1", "groups": _GROUPS},
    "/apis/apps/v1": _resources("/apis/apps/v1"),
}


class Cluster:
    """What a cluster runs, by kind; `broken` answers in place of every list of that kind."""

    def __init__(self) -> None:
        self.runs: dict[str, list[dict[str, Any]]] = {name: [] for name in KINDS}
        self.broken: dict[str, Reply] = {}

    def add(self, kind: str, name: str, namespace: str | None = None, **spec: Any) -> dict[str, Any]:
        """Have one thing more; `app` is the label of its pods, and what a service looks for."""
        labels = {"app.kubernetes.io/name": name}
        app = {"app": spec.pop("app", name)}
        place = {} if namespace is None else {"namespace": namespace}
        made = {"metadata": {"name": name, "labels": labels, **place}, "spec": {**spec}}
        if kind == "services":
            made["spec"]["selector"] = app
        elif kind != "namespaces":
            made["spec"]["template"] = {"metadata": {"labels": {**app, "tier": "web"}}}
        self.runs[kind].append(made)
        return made

    def shop(self) -> "Cluster":
        """Run a shop: a namespace with two deployments, and a service in front of one."""
        self.add("namespaces", "shop")
        self.add("deployments", "checkout", "shop")
        self.add("deployments", "worker", "shop")
        self.add("services", "checkout", "shop", app="checkout")
        return self

    def remove(self, kind: str, name: str) -> None:
        """Have it no more."""
        self.runs[kind] = [each for each in self.runs[kind] if each["metadata"]["name"] != name]

    def __call__(self, asked: Exchange) -> Reply:
        if asked.path in DISCOVERY:
            return Reply(DISCOVERY[asked.path])
        plural = asked.path.rpartition("/")[2]
        if plural in self.broken:
            return self.broken[plural]
        kind, _, group = KINDS[plural]
        inside = (
            asked.path.removeprefix(f"{group}/namespaces/").partition("/")[0] if "/namespaces/" in asked.path else ""
        )
        items = [each for each in self.runs[plural] if inside in {"", each["metadata"].get("namespace")}]
        version = group.removeprefix("/apis/").removeprefix("/api/")
        return Reply(
            {"kind": f"{kind}List", "apiVersion": version, "metadata": {"resourceVersion": "1"}, "items": items}
        )


def a_kubeconfig(folder: Path, name: str, server: Server) -> Path:
    """Return the file by which kubectl finds a cluster, under a context of that name."""
    entries = {
        "clusters": [{"name": "c", "cluster": {"server": server.url}}],
        "users": [{"name": "u", "user": {"token": "token-of-the-cluster"}}],
        "contexts": [{"name": name, "context": {"cluster": "c", "user": "u"}}],
    }
    file = folder / f"{name}.kubeconfig"
    file.write_text(json.dumps({"apiVersion": "v1", "kind": "Config", **entries}))
    return file
