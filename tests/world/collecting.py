"""An installation that collects: the whole application, real tools, and simulated systems that they ask."""

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from tests.builders.application import MovableClock
from tests.builders.caller import Caller
from tests.builders.rates import GENEROUS
from tests.builders.shipped import the_shipped
from tests.builders.tools import Exchange, Reply, Server, a_server
from tests.world.clusters import Cluster, a_kubeconfig

from carapulse.audit.model import EventFilter
from carapulse.bootstrap import App, make_app
from carapulse.kernel.call import Actor, Call
from carapulse.runtime.areas import handlers
from carapulse.runtime.minute import do_minute
from carapulse.runtime.workers import Workers
from carapulse.settings import Settings

EVERY_S = 60
PLACES = ["dev", "prod", "moon"]


class Dashboards:
    """A Grafana with dashboards in folders; `broken` answers in place of all, `meanwhile` happens before each answer."""

    def __init__(self) -> None:
        self.folders = [{"uid": "f1", "title": "Shop"}]
        self.dashboards = [{"uid": "d1", "title": "Checkout", "folderUid": "f1", "tags": []}]
        self.broken: Reply | None = None
        self.meanwhile: Callable[[], object] | None = None

    def __call__(self, asked: Exchange) -> Reply:
        if self.meanwhile is not None:
            self.meanwhile()
        if self.broken is not None:
            return self.broken
        return Reply(self.folders if asked.query["type"] == "dash-folder" else self.dashboards)


class Desk:
    """Somebody who configures collectors, and the clock and the workers that have them run."""

    def __init__(self, database_url: str, folder: Path, connections: list[dict[str, Any]], **settings: Any) -> None:
        folder.mkdir(exist_ok=True, mode=0o700)
        file = folder / "connections.yaml"
        file.write_text(json.dumps({"connections": connections}))
        self.clock = MovableClock(datetime.now(UTC))
        chosen = Settings(data_dir=folder, connections_file=file, **{**GENEROUS, **settings})
        self.app: App = make_app(chosen, database_url, clock=self.clock, shipped=the_shipped())
        self.tenant = "acme"
        self._caller = Caller(self.app, self.clock)
        self.workers = self.new_workers()

    def ask(self, method: str, path: str, body: Any = None, **rest: Any) -> Any:
        """Ask in the name of an administrator, unless the test says otherwise."""
        return self._caller(method, path, body, **{"tenant": self.tenant, **rest})

    def new_workers(self) -> Workers:
        """Return a pool that takes every message."""
        queue, chosen = self.app.queue, self.app.settings
        return Workers(queue, handlers("queue"), self.app, self.clock, 1, chosen.visibility_s, chosen.max_deliveries)

    def call(self, who: str = "ada") -> Call:
        """Return a call in this tenant, now."""
        actor = Actor(id=who, roles=frozenset({"admin"}))
        return Call(actor=actor, tenant=self.tenant, at=self.clock.now(), trace="0" * 32)

    def put(self, name: str, terms: dict[str, Any], **rest: Any) -> Any:
        """Put a new collector, and hold it to having been taken."""
        headers = rest.pop("headers", {"if-none-match": "*"})
        answer = self.ask("PUT", f"/v1/collectors/{name}", {"every_s": EVERY_S, **terms}, headers=headers, **rest)
        assert answer.status_code in {200, 201}, answer.text
        return answer

    def minute(self, seconds: float = EVERY_S) -> None:
        """Let time pass, the clock tick, and the workers do what is to be done."""
        self.clock.move(timedelta(seconds=seconds))
        do_minute(self.app)
        self.workers.run_until_idle()

    def status(self, name: str) -> dict[str, Any]:
        """Return how the runs of a collector go."""
        shown = self.ask("GET", f"/v1/collectors/{name}")
        assert shown.status_code == 200, shown.text
        return dict(shown.json()["status"])

    def nodes(self, tenant: str | None = None) -> dict[str, set[str]]:
        """Return what there is, as ids by who says so."""
        said: dict[str, set[str]] = {}
        with self.app.begin(self.call().model_copy(update={"tenant": tenant or self.tenant})) as work:
            for node_id, source in work.context.statements().nodes:
                said.setdefault(source, set()).add(node_id)
        return said

    def edges(self) -> set[tuple[str, str, str]]:
        """Return what hangs on what."""
        with self.app.begin(self.call()) as work:
            return set(work.context.statements().graph().edges)

    def happened(self, *kinds: str) -> list[tuple[str, str]]:
        """Return which events of these kinds there were, and by whom, in order."""
        with self.app.begin(self.call()) as work:
            page = work.evidence.page(EventFilter(limit=200))
        return [(each.type, each.actor) for each in reversed(page.data) if each.type in kinds]


def at_grafana(server: Server, name: str = "boards", **match: str) -> dict[str, Any]:
    """Return a connection to a Grafana."""
    return {"tool": "grafana", "name": name, "match": {"environment": PLACES, **match}, "base_url": server.url}


def at_cluster(folder: Path, cluster_id: str, server: Server) -> dict[str, Any]:
    """Return a connection to a cluster."""
    settings = {"kubeconfig": str(a_kubeconfig(folder, cluster_id, server)), "context": cluster_id}
    match = {"environment": PLACES, "cluster_id": cluster_id}
    return {"tool": "kubectl", "name": cluster_id, "match": match, "settings": settings}


@contextmanager
def a_desk(database_url: str, folder: Path, **clusters: Cluster) -> Iterator[tuple[Desk, Dashboards]]:
    """Build an installation with a Grafana, and with clusters by their ids."""
    boards = Dashboards()
    with ExitStack() as stack:
        connections = [at_grafana(stack.enter_context(a_server(boards)))]
        for cluster_id, cluster in clusters.items():
            connections.append(at_cluster(folder, cluster_id, stack.enter_context(a_server(cluster))))
        desk = Desk(database_url, folder / "data", connections)
        stack.callback(desk.app.close)
        yield desk, boards
