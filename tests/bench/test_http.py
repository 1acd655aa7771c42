"""What a request costs, beside a bare route of the same server and a bare SELECT by primary key, in one run."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from tests.bench.child import Child
from tests.bench.figures import ROUNDS, line, middle, percentile, ratio, said
from tests.bench.processor import server_seconds
from tests.builders.waiting import copy_waiting
from tests.conftest import a_folder

from carapulse.adapters.embedded.postgres import over_socket
from carapulse.adapters.postgres.address import parse_address
from carapulse.identity.issuer import DevelopmentIssuer

pytestmark = pytest.mark.timeout(900)
_TENANT = "acme"
_PLANS, _PAGE, _FAR = 100_000, 50, 1000
_ROUND_S = 1.0
_FEWEST, _MOST = 20, 1000  # questions of one leg of a round
_CONNECTIONS = 4
_PLAN = {
    "summary": "Scale checkout to 5 replicas",
    "intent": "The queue grows",
    "context": {"environment": "prod", "namespace": "shop", "service": "checkout", "cluster_id": "eu-1"},
    "steps": [
        {
            "stage": "act",
            "tool": "kubectl",
            "action": "scale",
            "input": {"resource": "deployment/checkout", "namespace": "shop", "replicas": 5},
        },
        {
            "stage": "verify",
            "tool": "kubectl",
            "action": "get_scale",
            "input": {"resource": "deployment/checkout", "namespace": "shop"},
            "expect": [{"path": "replicas", "op": "eq", "value": 5}],
        },
    ],
}
Question = dict[str, Any]


@dataclass
class Figures:
    """What a round each found out about one kind of request."""

    rates: list[float] = field(default_factory=list)
    latencies: list[float] = field(default_factory=list)
    ours: list[float] = field(default_factory=list)
    database: list[float] = field(default_factory=list)


def a_child(module: str, **given: Any) -> Child:
    child = Child(module, **given)
    assert child.hear() == "ready"
    return child


def told(child: Child, order: str, **given: Any) -> Any:
    child.tell(order, **given)
    return child.hear()


class Stand:
    """The program with 100,000 plans that wait, and its client."""

    def __init__(self, server: Child, folder: Path) -> None:
        self.server = server
        where = told(server, "where")
        self.client = a_child("tests.bench.asking", url=where["url"], most=_CONNECTIONS)
        self.bare = a_child("tests.bench.asking", url=where["bare"], most=_CONNECTIONS)
        self.socket = parse_address(where["database"])[1]["unix_sock"]
        self.issuer = DevelopmentIssuer.load_or_make(folder)
        self.plan_id: str = told(self.client, "read", question=self.create())["body"]["plan_id"]
        self.connection = over_socket(self.socket, "carapulse")
        ((data,),) = self.connection.run("SHOW data_directory")
        self.postmaster = int((Path(data) / "postmaster.pid").read_text().partition("\n")[0])
        copy_waiting(self.connection, self.plan_id, _PLANS - 1, ("plans", "plan_versions"))
        ((self.filled_at,),) = self.connection.run("SELECT max(created_at) FROM plans")
        self.far = self.address_of_page(_FAR)

    def asked(self, method: str, path: str, role: str = "operator", **more: Any) -> Question:
        token = self.issuer.mint(_TENANT, f"ada-{role}", frozenset({role}), timedelta(hours=2))
        headers = {"Authorization": f"Bearer {token}", "Accept": "application/json", **more.pop("headers", {})}
        if "body" in more:
            headers["Content-Type"] = "application/json"
            more["body"] = json.dumps(more["body"])
        return {"method": method, "path": path, "headers": headers, "status": 200, **more}

    def create(self) -> Question:
        return self.asked("POST", "/v1/plans", body=_PLAN, is_new=True, status=201)

    def get(self) -> Question:
        return self.asked("GET", f"/v1/plans/{self.plan_id}")

    def page(self, address: str = f"/v1/plans?limit={_PAGE}") -> Question:
        return self.asked("GET", address)

    def check(self, **about: Any) -> Question:
        return self.asked("POST", "/v1/authz:check", body={"action": "plan:execute", **about})

    def address_of_page(self, number: int) -> str:
        """Return where a page is, by walking to it."""
        address = str(self.page()["path"])
        for _ in range(number - 1):
            answer = told(self.client, "read", question=self.page(address))
            address = str(answer["headers"]["link"]).partition(">")[0].removeprefix("<")
        return address

    def plans_to_decide(self, many: int) -> list[str]:
        """Return plans that were really asked for, for no copy has its own digest, and that nobody has answered."""
        query = (
            "SELECT id FROM plans WHERE status = 'awaiting_approval' AND created_at > :since ORDER BY id LIMIT :many"
        )
        found = self.connection.run(query, since=self.filled_at, many=many)
        if len(found) < many:
            told(self.client, "ask", questions=[self.create()] * (many - len(found)))
            found = self.connection.run(query, since=self.filled_at, many=many)
        return [name for (name,) in found]

    def decisions(self, many: int) -> list[Question]:
        """Return answers to plans that were not answered yet, each of which was read before."""
        asked = []
        for plan_id in self.plans_to_decide(many):
            seen = told(self.client, "read", question=self.asked("GET", f"/v1/plans/{plan_id}"))
            body = {"plan_id": plan_id, "status": "approved", "digest": seen["body"]["digest"]}
            tag = {"If-Match": seen["headers"]["etag"]}
            asked.append(self.asked("POST", "/v1/approvals", "approver", body=body, headers=tag, status=201))
        return asked

    def used(self) -> tuple[float, float]:
        """Return the seconds of the processor of the process that serves, and of the database's."""
        return told(self.server, "used"), server_seconds(self.postmaster)

    def close(self) -> None:
        self.connection.close()
        for child in (self.client, self.bare):
            child.end()


@contextmanager
def a_stand() -> Iterator[Stand]:
    with a_folder() as folder:
        server = a_child("tests.bench.program", folder=str(folder))
        stand = Stand(server, folder)
        try:
            yield stand
        finally:
            stand.close()
            server.end()


@dataclass
class Kind:
    """One kind of request: who asks, and what, so many at a time."""

    stand: Stand
    client: Child
    questions: Callable[[int], list[Question]]
    figures: Figures = field(default_factory=Figures)
    many: int = _FEWEST

    def warm_up(self) -> None:
        """Ask often enough to be warm and to know how many make a round."""
        seconds = told(self.client, "ask", questions=self.questions(_FEWEST))["seconds"]
        self.many = int(min(_MOST, max(_FEWEST, _FEWEST * _ROUND_S / seconds)))

    def measure(self) -> None:
        """Ask one after the other, then over several connections at once."""
        questions = self.questions(self.many)
        before = self.stand.used()
        alone = told(self.client, "ask", questions=questions)
        ours, database = (now - then for now, then in zip(self.stand.used(), before, strict=True))
        together = told(self.client, "ask", questions=self.questions(self.many), connections=_CONNECTIONS)
        self.figures.latencies += alone["latencies"]
        self.figures.ours.append(ours / self.many)
        self.figures.database.append(database / self.many)
        self.figures.rates.append(self.many / together["seconds"])


def repeated(question: Question) -> Callable[[int], list[Question]]:
    return partial(lambda question, many: [question] * many, question)


def kinds_of(stand: Stand) -> dict[str, Kind]:
    bare: Question = {"method": "GET", "path": "/bare", "headers": {}, "status": 200}
    asked = {
        "get plan": repeated(stand.get()),
        "list 50 of 100,000 plans, page 1": repeated(stand.page()),
        "list 50 of 100,000 plans, page 1,000": repeated(stand.page(stand.far)),
        "create plan": repeated(stand.create()),
        "decide": stand.decisions,
        "authz check, roles": repeated(stand.check()),
        "authz check, roles and policy": repeated(stand.check(plan_id=stand.plan_id)),
    }
    return {
        "bare route": Kind(stand, stand.bare, repeated(bare)),
        **{name: Kind(stand, stand.client, questions) for name, questions in asked.items()},
    }


def select(stand: Stand, figures: Figures, many: int) -> None:
    before = stand.used()[1]
    read = told(stand.server, "select", tenant=_TENANT, plan_id=stand.plan_id, times=many)
    figures.latencies += read["latencies"]
    figures.ours.append(read["used"] / many)
    figures.database.append((stand.used()[1] - before) / many)
    figures.rates.append(many / sum(read["latencies"]))


def test_what_a_request_costs():
    with a_stand() as stand:
        kinds, by_key = kinds_of(stand), Figures()
        for each in kinds.values():
            each.warm_up()
        for _ in range(ROUNDS):
            select(stand, by_key, _MOST)
            for each in kinds.values():
                each.measure()
    report({"bare SELECT by primary key": by_key, **{name: each.figures for name, each in kinds.items()}})


def report(found: dict[str, Figures]) -> None:
    """Print a line for each kind of request. The floor is the bare route and the bare SELECT together."""
    selected, bare = found["bare SELECT by primary key"], found["bare route"]
    floor = [route + by_key for route, by_key in zip(bare.ours, selected.ours, strict=True)]
    line("\nover HTTP, one process that serves", "requests/s", "p50 / p99, processor: server, database, of the floor")
    for name, each in found.items():
        p50, p99 = (percentile(each.latencies, percent) * 1000 for percent in (50, 99))
        ours, database = (middle(used) * 1000 for used in (each.ours, each.database))
        costs = f"{p50:6.2f} /{p99:6.2f} ms {ours:6.2f} +{database:6.2f} ms {ratio(each.ours, floor):6.2f}"
        line(name, said(each.rates), costs)
    pages = [found[f"list 50 of 100,000 plans, page {number}"] for number in ("1,000", "1")]
    line("page 1,000 beside page 1, processor", f"{ratio(*(each.ours for each in pages)):9.2f}")
    assert middle(floor) > 0
