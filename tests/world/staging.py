"""What must be there before each route of the contract can be asked something that it accepts."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

from tests.builders import chat
from tests.builders.intake import signed
from tests.conftest import Database
from tests.world.rig import Rig, a_call, act, check
from tests.world.site import NEXT_YEAR, Site

from carapulse.executions.wishes import PauseExecution, pause_execution

HOLD = {"on_failure": "hold"}
STEP = "scale"  # the step that the examples speak of


@dataclass(frozen=True)
class Scene:
    """What names the things that are there, what the caller must say beside the body, and who asks."""

    names: dict[str, str] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=lambda: {"if-match": "*"})
    by: str = "ada"
    role: str = "admin"
    address: str | None = None


class Stage:
    """Makes scenes, on one site."""

    def __init__(self, site: Site, rig: Rig, database: Database) -> None:
        self.site = site
        self._rig = rig
        self._database = database
        self._numbers = count(1)

    def _switching(self) -> list[dict[str, Any]]:
        """Return steps about a lamp that no other run has locked."""
        lamp = f"lamp-{next(self._numbers)}"
        return [act("switch", lamp), check(lamp)]

    def plan(self, environment: str = "prod") -> dict[str, str]:
        """Draft a plan; one for prod waits for an answer."""
        plan = self._rig.plan(*self._switching(), environment=environment)
        return {"plan_id": plan.plan_id, "digest": plan.digest}

    def waiting(self) -> Scene:
        return Scene(self.plan())

    def approved(self) -> Scene:
        return Scene(self.plan("dev"))

    def asked(self) -> Scene:
        """Ask somebody else about a plan."""
        names = self.plan()
        listed = self.site.send("GET", f"/v1/approvals?plan_id={names['plan_id']}", headers=self.bearer("linus")).json()
        return Scene({**names, "approval_id": listed["data"][0]["id"]}, by="linus", role="approver")

    def started(self) -> Scene:
        return Scene({"execution_id": self._rig.start(self._rig.plan(*self._switching()))})

    def paused(self) -> Scene:
        scene = self.started()
        pause_execution(scene.names["execution_id"], PauseExecution(), a_call("grace"), self._rig.app)
        return scene

    def failed(self) -> Scene:
        """Let a step fail that a person may try again."""
        lamp = f"lamp-{next(self._numbers)}"
        self._rig.world.broken = {f"PUT {lamp}"}
        state = self._rig.run(act("switch", lamp, id=STEP), check(lamp), constraints=HOLD)
        self._rig.world.broken = set()
        return Scene({"execution_id": state.id})

    def lost(self) -> Scene:
        """Let a step end of which nobody knows whether it was done."""
        lamp = f"lamp-{next(self._numbers)}"
        self._rig.world.cut = {f"ring {lamp}"}
        state = self._rig.run(act("ring", lamp, id=STEP), check(lamp))
        self._rig.world.cut = set()
        return Scene({"execution_id": state.id})

    def over(self) -> Scene:
        return Scene({"execution_id": self._rig.run(*self._switching()).id})

    def buried(self) -> Scene:
        """Put a message among the dead letters."""
        self.started()
        with self._database.as_superuser() as connection:
            connection.run("UPDATE messages SET attempts = 1000 WHERE type = 'AdvanceExecution'")
        self._rig.workers.run_until_idle()
        found = self.site.send("GET", "/v1/dead-letters", headers=self.bearer("ada", "admin")).json()
        return Scene({"message_id": found["data"][0]["id"]})

    def new_name(self) -> Scene:
        return Scene({"name": f"own{next(self._numbers)}"}, {"if-none-match": "*"})

    def new_member(self) -> Scene:
        return Scene({"member_id": "grace"}, {"if-none-match": "*"})

    def key(self) -> Scene:
        """Make a key that is good."""
        wanted = {"name": "robot", "kind": "service", "roles": ["viewer"], "expires_at": NEXT_YEAR}
        issued = self.site.send("POST", "/v1/api-keys", wanted, self.bearer("ada", "admin")).json()
        return Scene({"key_id": issued["key"]["id"]})

    def source(self, trust: str) -> dict[str, Any]:
        """Register a source, and return what it is issued."""
        registration = {"trust": trust, "context": {"environment": "dev"}}
        headers = {**self.bearer("ada", "admin"), "if-none-match": "*"}
        issued: dict[str, Any] = self.site.send(
            "PUT", f"/v1/sources/own-{next(self._numbers)}", registration, headers
        ).json()
        return issued

    def bearer(self, by: str, role: str = "approver") -> dict[str, str]:
        return {"authorization": f"Bearer {self.site.token(role, by=by)}"}

    def send(self, route: str, body: Any) -> Any:
        """Set the scene of a route, and send it a body as somebody who may."""
        method, _, path = route.partition(" ")
        if path.startswith("/v1/chatops/"):
            return self._say(path, body.encode())
        if path.startswith("/v1/webhooks/"):
            return self._report(path, json.dumps(body).encode())
        scene = SCENES[route](self) if route in SCENES else Scene()
        names = {**self.site.ids, **scene.names}
        headers = {
            **scene.headers,
            **self.bearer(scene.by, scene.role),
            "idempotency-key": f"key-{next(self._numbers)}-long",
        }
        return self.site.send(method, path.format_map(names), _placed(body, names), headers)

    def _say(self, path: str, content: bytes) -> Any:
        """Send a form as Slack signs it, from the workspace that is there."""
        listed = self.site.send("GET", "/v1/chat/workspaces", headers=self.bearer("ada", "admin")).json()
        url = path.format(workspace=listed["data"][0]["id"])
        return self.site.send("POST", url, content=content, headers=chat.headers_of(content))

    def _report(self, path: str, content: bytes) -> Any:
        issued = self.source("path_token" if "{token}" in path else "signed")
        headers = {"content-type": "application/json"}
        if "{token}" in path:
            return self.site.send("POST", issued["secret_path"], content=content, headers=headers)
        url = path.format(source=issued["source"]["id"])
        return self.site.send(
            "POST", url, content=content, headers={**headers, **signed(content, secret=issued["secret"])}
        )


def _placed(body: Any, names: dict[str, str]) -> Any:
    """Return an example with what differs from installation to installation, and from day to day."""
    days = {"expires_at": 30, "starts_at": 300, "until": 303}
    soon = {key: (datetime.now(UTC) + timedelta(days=number)).isoformat() for key, number in days.items()}
    given = soon | {key: name for key, name in names.items() if key in {"plan_id", "digest"}}
    return {key: given.get(key, value) for key, value in body.items()}


SCENES: dict[str, Callable[[Stage], Scene]] = {
    "POST /v1/plans/{plan_id}/versions": Stage.waiting,
    "POST /v1/plans/{plan_id}:cancel": Stage.waiting,
    "POST /v1/plans/{plan_id}:close": Stage.waiting,
    "POST /v1/plans/{plan_id}:execute": Stage.approved,
    "POST /v1/approvals": Stage.asked,
    "POST /v1/approvals/{approval_id}:decide": Stage.asked,
    "POST /v1/approvals/{approval_id}:delegate": Stage.asked,
    "POST /v1/executions/{execution_id}:cancel": Stage.started,
    "POST /v1/executions/{execution_id}:pause": Stage.started,
    "POST /v1/executions/{execution_id}:resume": Stage.paused,
    "POST /v1/executions/{execution_id}:retry": Stage.failed,
    "POST /v1/executions/{execution_id}:resolve": Stage.lost,
    "POST /v1/executions/{execution_id}:undo": Stage.over,
    "POST /v1/api-keys/{key_id}:revoke": Stage.key,
    "POST /v1/api-keys/{key_id}:rotate": Stage.key,
    "POST /v1/workflows/{name}/versions": Stage.new_name,
    "POST /v1/workflows/{name}:start": lambda _: Scene({"name": "scale_service"}),
    "POST /v1/tools/{tool}/actions/{action}:validate": lambda _: Scene({"tool": "kubectl", "action": "scale"}),
    "PUT /v1/collectors/{name}": Stage.new_name,
    "PUT /v1/sources/{name}": Stage.new_name,
    "PUT /v1/channels/{name}": Stage.new_name,
    "PUT /v1/chat/workspaces/{name}": Stage.new_name,
    "PUT /v1/sessions/{session_id}/members/{member_id}": Stage.new_member,
    "POST /v1/dead-letters/{message_id}:replay": Stage.buried,
    "POST /v1/dead-letters/{message_id}:discard": Stage.buried,
}
