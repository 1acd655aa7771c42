"""One installation with something of everything in it, asked in memory: for what holds for every route."""

from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
from anyio.from_thread import start_blocking_portal
from joserfc import jwt
from tests.builders import chat
from tests.builders.contract import CONTRACT
from tests.builders.intake import recorded
from tests.builders.keys import a_key
from tests.builders.rates import GENEROUS
from tests.conftest import a_database
from tests.world.rig import Rig, act, check
from tests.world.server import a_world

from carapulse.identity.issuer import AUDIENCE, ISSUER, DevelopmentIssuer
from carapulse.runtime.areas import ROUTERS
from carapulse.runtime.http.app import make_app

NEXT_YEAR = (datetime.now(UTC) + timedelta(days=30)).isoformat()
CONTEXT = {"environment": "dev", "service": "hall"}
PLAN = {"summary": "Light the hall", "context": CONTEXT, "steps": [act("switch", "hall"), check("hall")]}
RECIPE = {
    "description": "Look at the hall.",
    "summary": "Look at the hall",
    "input": {"type": "object", "additionalProperties": False, "properties": {"why": {"enum": ["x"]}}},
    "examples": [{}, {"why": "x"}],
    "steps": [{"id": "look", "stage": "diagnose", "tool": "lamp", "action": "look", "input": {"lamp": "hall"}}],
}
SCHEDULE = {"name": "nightly", "cron": "30 2 * * *", "plan": PLAN}
ALL_WEEK = [{"days": ["mon"], "start": "00:00", "end": "24:00"}]
REGISTRATION = {"trust": "path_token", "context": CONTEXT}
CHANNEL = {"kind": "webhook", "url": "https://hooks.example.com/hall", "events": ["ApprovalRequested"]}
BODIES: dict[str, dict[str, Any]] = {
    "POST /v1/plans": PLAN,
    "POST /v1/plans/{plan_id}/versions": PLAN,
    "POST /v1/plans/{plan_id}:close": {"reason": "x"},
    "POST /v1/plans/{plan_id}:cancel": {"reason": "x"},
    "POST /v1/approvals": {"plan_id": "{plan_id}", "status": "approved", "digest": "sha256:0"},
    "POST /v1/approvals/{approval_id}:decide": {"status": "approved", "digest": "sha256:0"},
    "POST /v1/approvals/{approval_id}:delegate": {"to": "eve"},
    "POST /v1/executions/{execution_id}:retry": {"step_id": "s1", "note": "x"},
    "POST /v1/executions/{execution_id}:resolve": {"step_id": "s1", "done": True, "note": "x"},
    "POST /v1/workflows/{name}:start": {"context": CONTEXT},
    "POST /v1/workflows/{name}/versions": RECIPE,
    "POST /v1/schedules": SCHEDULE,
    "POST /v1/schedules:preview": SCHEDULE,
    "POST /v1/freezes": {"name": "sale", "environments": ["preprod"], "reason": "x"},
    "POST /v1/windows": {"name": "nights", "environments": ["preprod"], "weekly": ALL_WEEK},
    "POST /v1/context:refresh": {"source": "cmdb", "nodes": [{"id": "hall", "kind": "service", "name": "hall"}]},
    "PUT /v1/collectors/{name}": {"system": "grafana", "context": CONTEXT, "enabled": False},
    "PUT /v1/sources/{name}": REGISTRATION,
    "POST /v1/sources/{name}:rotate": {},
    "PUT /v1/channels/{name}": CHANNEL,
    "POST /v1/channels/{name}:rotate": {},
    "PUT /v1/chat/workspaces/{name}": {"team_id": chat.TEAM, "signing_secret": chat.SECRET},
    "POST /v1/playbooks": {"name": "hall"},
    "POST /v1/runbooks": {"service": "hall", "name": "light"},
    "POST /v1/memory": {"title": "hall"},
    "POST /v1/sessions": {"name": "hall"},
    "PUT /v1/sessions/{session_id}/members/{member_id}": {"role": "viewer"},
    "POST /v1/dead-letters/{message_id}:replay": {"note": "x"},
    "POST /v1/dead-letters/{message_id}:discard": {"note": "x"},
    "POST /v1/api-keys": {"name": "robot", "kind": "service", "roles": ["viewer"], "expires_at": NEXT_YEAR},
    "POST /v1/api-keys/{key_id}:revoke": {"reason": "x"},
    "POST /v1/api-keys/{key_id}:rotate": {},
    "POST /v1/authz:check": {"action": "plan:read"},
}
QUERIES = {
    "GET /v1/context/snapshots/{snapshot_id}/diff": "?base={snapshot_id}",
    "GET /v1/context/graph": "?service=hall",
    "DELETE /v1/freezes/{freeze_id}": "?reason=x",
    "DELETE /v1/windows/{window_id}": "?reason=x",
}


class Site:
    """One installation, with something of everything in it that belongs to acme."""

    def __init__(self, rig, database, portal):
        self.rig, self.database, self.portal = rig, database, portal
        self.http = make_app(rig.app, ROUTERS)
        self.client = httpx.AsyncClient(transport=httpx.ASGITransport(self.http), base_url="http://127.0.0.1")
        self.issuer = DevelopmentIssuer.load_or_make(rig.app.settings.data_dir)
        self.ids = {}
        self._fill(rig, database)

    def routes(self):
        """Yield the method, path and permission of each route of the contract that a bearer opens."""
        for path, methods in CONTRACT["paths"].items():
            for method, operation in methods.items():
                if operation.get("security"):
                    yield f"{method.upper()} {path}", operation

    def token(self, role="admin", tenant="acme", by="ada"):
        return self.issuer.mint(tenant, by, frozenset({role} if role else ()), timedelta(minutes=30))

    def forged(self, **changed):
        now = int(datetime.now(UTC).timestamp())
        claims = {"iss": ISSUER, "aud": AUDIENCE, "sub": "ada", "tenant": "acme", "kind": "person", "roles": ["admin"]}
        said = {**claims, "iat": now, "exp": now + 600, **changed}
        header = {"alg": "Ed25519", "typ": "at+jwt", "kid": self.issuer.key.thumbprint()}
        return jwt.encode(header, said, self.issuer.key, algorithms=["Ed25519"])

    def ask(self, route, token, ids=None, body=None, **headers):
        """Ask a route of the contract, with something valid in each place."""
        method, _, path = route.partition(" ")
        named = {**self.ids, **({"name": "own"} if "workflows" in path else {}), **(ids or {})}
        url = f"{path}{QUERIES.get(route, '')}".format_map(named)
        body = BODIES.get(route) if body is None else body
        if body is not None and "plan_id" in body:
            body = {**body, "plan_id": named["plan_id"]}
        if method == "PATCH":
            body = {}
        given = {"if-match": "*", "idempotency-key": a_key(), **headers}
        if token is not None:
            given["authorization"] = f"Bearer {token}"
        said = {name: value for name, value in given.items() if value is not None}
        return self.send(method, url, body if method != "GET" else None, said)

    def send(self, method, url, body=None, headers=None, content=None):
        async def once():
            return await self.client.request(method, url, json=body, content=content, headers=headers)

        return self.portal.call(once)

    def _link(self):
        """Let somebody be known in a chat, and have a code for another."""
        headers = {"authorization": f"Bearer {self.token()}", "if-none-match": "*"}
        body = BODIES["PUT /v1/chat/workspaces/{name}"]
        workspace = self.send("PUT", "/v1/chat/workspaces/alerts", body, headers).json()
        said = chat.a_command(f"link {self.ask('POST /v1/chat:link', self.token()).json()['code']}")
        linked = self.send("POST", workspace["commands_path"], content=said, headers=chat.headers_of(said))
        assert linked.status_code == 200, linked.text
        self._made("GET /v1/chat/links", "link_id", "data", 0, "id")
        assert self.ask("POST /v1/chat:link", self.token()).is_success

    def _made(self, route, key, *pointer, **more):
        answer = self.ask(route, self.token(), **more)
        assert answer.is_success, (route, answer.text)
        value = answer.json()
        for step in pointer:
            value = value[step]
        self.ids[key] = value
        return answer.json()

    def _fill(self, rig, database):
        execution = rig.start(rig.plan(act("switch", "hall"), check("hall"), environment="prod"))
        self.ids["execution_id"] = execution
        state = rig.state(execution)
        self.ids |= {"plan_id": state.plan_id, "approval_id": state.approval_id, "name": "alerts"}
        with database.as_superuser() as connection:
            connection.run("UPDATE messages SET attempts = 1000 WHERE type = 'AdvanceExecution'")
        issued = self.send(
            "PUT",
            "/v1/sources/alerts",
            REGISTRATION,
            {"authorization": f"Bearer {self.token()}", "if-none-match": "*"},
        ).json()
        reported = self.send(
            "POST", issued["secret_path"], content=recorded("firing_three_services"),
            headers={"content-type": "application/json"},
        )  # fmt: skip
        assert reported.status_code == 202, reported.text
        rig.workers.run_until_idle()
        self._made("PUT /v1/collectors/{name}", "collector_id", "id", **{"if-match": None, "if-none-match": "*"})
        new = {"authorization": f"Bearer {self.token()}", "if-none-match": "*"}
        assert self.send("PUT", "/v1/channels/alerts", CHANNEL, new).status_code == 201
        for route, key in (("GET /v1/alerts", "alert_id"), ("GET /v1/dead-letters", "message_id")):
            self._made(route, key, "data", 0, "id")
        self._link()
        self._made("POST /v1/playbooks", "playbook_id", "id")
        self._made("POST /v1/runbooks", "runbook_id", "id")
        self._made("POST /v1/memory", "memory_id", "id")
        self._made("POST /v1/sessions", "session_id", "id")
        self._made("POST /v1/workflows/{name}/versions", "version", "version")
        self._made("POST /v1/schedules", "schedule_id", "id")
        self._made("POST /v1/freezes", "freeze_id", "id")
        self._made("POST /v1/windows", "window_id", "id")
        self._made("POST /v1/context:refresh", "snapshot_id", "snapshot", "id")
        self._made("GET /v1/context/services", "node_id", "data", 0, "id")
        issued = self._made("POST /v1/api-keys", "key_id", "key", "id")
        self.revoked = issued["text"]
        self._made("POST /v1/api-keys/{key_id}:revoke", "key_id", "id")
        self.ids |= {"member_id": "ada", "number": 1, "tool": "lamp", "action": "switch"}


@contextmanager
def a_site(postgres, folder):
    """Fill an installation, for as long as it is needed."""
    with a_world() as world, a_database(postgres) as database, start_blocking_portal() as portal:
        rig = Rig(database.app_url, world, folder / "data", max_deliveries=2, **GENEROUS)
        try:
            yield Site(rig, database, portal)
        finally:
            rig.close()
