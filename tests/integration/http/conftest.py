"""The whole stack on a real socket: uvicorn on loopback, with routes that show one thing each."""

import json
import threading
import time
from dataclasses import dataclass
from datetime import timedelta

import pytest
from fastapi import APIRouter, Request, Response
from fastapi.responses import PlainTextResponse
from pydantic import Field
from tests.builders.clients import a_client
from tests.builders.rates import HttpChosen, unlimited
from tests.builders.refusing import Told, a_refusal_log
from tests.builders.serving import served

from carapulse.identity.bearers import Bearers
from carapulse.identity.errors import TokenRefused
from carapulse.identity.issuer import DevelopmentIssuer
from carapulse.identity.model import Principal, Proof
from carapulse.identity.tokens import TokenVerifier
from carapulse.kernel.call import Actor
from carapulse.kernel.clock import SystemClock
from carapulse.kernel.errors import Conflict, Fault, Invalid, Unavailable
from carapulse.kernel.record import Record
from carapulse.routing import Ports, ThisCall, needs
from carapulse.runtime.http.gate import Limits
from carapulse.settings import Settings
from carapulse.sse import LastEventId, Pace, Page, Row, stream
from carapulse.waiting import Waiting


class PlanChanged(Conflict):
    code = "plan-changed"


class Step(Record):
    tool: str
    after: tuple[int, ...] = ()


class Draft(Record):
    summary: str = Field(min_length=1)
    steps: tuple[Step, ...] = ()
    choice: int | list[str] | None = None


@dataclass
class OneKey:
    """Knows one key, and takes its time to look it up."""

    clock: SystemClock
    looks: int = 0

    def verify(self, token):
        self.looks += 1
        time.sleep(0.3)
        if token != A_KEY:
            raise TokenRefused("the token was not accepted")
        actor = Actor(id="key:key_1", kind="service", roles=frozenset({"viewer"}))
        until = self.clock.now().timestamp() + 3600
        return Principal(actor=actor, tenant="acme", expires_at=until, proof=Proof(kind="api_key", id="key_1"))


A_KEY = "cpk_the-one"


class Application:
    """What HTTP asks of the composition root, with levers for the test."""

    def __init__(self, folder):
        self.clock = SystemClock()
        self.issuer = DevelopmentIssuer.load_or_make(folder)
        self.tokens = Bearers(TokenVerifier([self.issuer.issuer], self.clock), OneKey(self.clock))
        self.told = Told()
        self.refusals = a_refusal_log(self.told)
        self.rates = unlimited()
        self.settings: HttpChosen | Settings = HttpChosen()
        self.stopping = threading.Event()
        self.reset()

    def reset(self):
        self.checks = {"database": True}
        self.rows = [Row(str(number), "step", {"text": f"line {number}\nand more"}) for number in range(1, 4)]
        self.is_over = True
        self.reads = []
        self.begun = []
        self.release = threading.Event()

    def ready(self):
        if isinstance(self.checks, Exception):
            raise self.checks
        return self.checks

    def page(self, after):
        self.reads.append(after)
        start = int(after) if after and after.isdecimal() else 0
        return Page(tuple(row for row in self.rows if int(row.id) > start), self.is_over)


def a_router():
    router = APIRouter()

    @router.get("/v1/me", dependencies=[needs("plan:read")])
    def me(call: ThisCall) -> dict[str, object]:
        return {"tenant": call.tenant, "actor": call.actor.id, "trace": call.trace}

    @router.get("/v1/plans", dependencies=[needs("plan:read")])
    def list_plans(limit: int = 10) -> int:
        return limit

    @router.post("/v1/plans", dependencies=[needs("plan:create")], status_code=201)
    def draft(draft: Draft, call: ThisCall, ports: Ports) -> Draft:
        return draft

    @router.post("/v1/plans/{plan_id}:execute", dependencies=[needs("plan:execute")], status_code=202)
    def execute(plan_id: str) -> dict[str, str]:
        return {"plan_id": plan_id}

    @router.get("/v1/problems/{kind}", dependencies=[needs("plan:read")])
    def raise_problem(kind: str) -> None:
        raise {
            "conflict": PlanChanged("the plan is another one now", plan_id="plan_1", status="mine"),
            "faults": Invalid(
                "two steps are wrong", faults=(Fault(pointer="/steps/0", code="unknown-action", detail="no such"),)
            ),
            "unavailable": Unavailable("the database did not answer", retry_after=7),
            "bug": RuntimeError("password=hunter2 at /srv/secret"),
        }[kind]

    @router.get(
        "/v1/executions/{execution_id}/logs",
        dependencies=[needs("execution:read")],
        response_class=Response,
        responses={200: {"content": {"text/event-stream": {}}}},
    )
    async def logs(request: Request, execution_id: str, ports: Ports, after: LastEventId = None) -> Response:
        return await stream(request, ports.page, after, Pace(poll=0.02, heartbeat=0.1, longest=2, longest_with_key=0.3))

    @router.post("/v1/webhooks/echo/{source}", status_code=202)
    async def webhook(source: str, request: Request) -> dict[str, int]:
        return {"bytes": len(await request.body())}

    @router.get("/v1/slow", dependencies=[needs("plan:read")])
    def slow(ports: Ports) -> None:
        ports.begun.append(1)
        assert ports.release.wait(5)

    add_what_may_be_wished(router)
    return router


def add_what_may_be_wished(router):
    @router.get("/v1/large", dependencies=[needs("plan:read")])
    def large(response: Response, size: int = 5000, tag: str | None = None) -> str:
        if tag:
            response.headers["ETag"] = tag
        return "x" * (size - 2)

    @router.get("/v1/text", dependencies=[needs("plan:read")], response_class=PlainTextResponse)
    def plain() -> str:
        return "plain " * 500

    @router.patch("/v1/plans/{plan_id}", dependencies=[needs("plan:create")])
    def change(plan_id: str, change: dict[str, str]) -> dict[str, str]:
        return change

    @router.get("/v1/wait", dependencies=[needs("plan:read")])
    async def wait(ports: Ports, waiting: Waiting) -> bool:
        def read():
            ports.reads.append(threading.get_ident())
            return ports.is_over

        return await waiting.until(bool, read, ports.is_over)


class Client:
    """Asks over the socket, as somebody."""

    def __init__(self, port, application):
        self.port = port
        self.application = application
        self.http = a_client(f"http://127.0.0.1:{port}")

    def token(self, *roles, **about):
        given = {"tenant": "acme", "subject": "ada", "lifetime": timedelta(hours=1), **about}
        return self.application.issuer.mint(roles=frozenset(roles), **given)

    def ask(self, method, path, *roles, **rest):
        headers = {"Authorization": f"Bearer {self.token(*(roles or ('admin',)))}", **rest.pop("headers", {})}
        return self.http.request(method, path, headers=headers, **rest)

    def post(self, path, content, **rest):
        headers = {"Content-Type": "application/json", **rest.pop("headers", {})}
        body = content if isinstance(content, bytes) else json.dumps(content).encode()
        return self.ask("POST", path, content=body, headers=headers, **rest)


@pytest.fixture(scope="session")
def server(tmp_path_factory):
    application = Application(tmp_path_factory.mktemp("issuer"))
    with served(application, [a_router()], Limits(threads=3, body_bytes=100_000, body_seconds=0.5)) as port:
        yield port, application


@pytest.fixture
def client(server):
    port, application = server
    application.reset()
    asking = Client(port, application)
    yield asking
    asking.http.close()
