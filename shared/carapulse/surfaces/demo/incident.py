"""The first story: a release breaks the shop, an alert becomes a plan, and the plan mends it."""

import secrets
import time
from http import HTTPStatus

from carapulse.intake.signing import new_secret
from carapulse.surfaces.cli.client import path_of
from carapulse.surfaces.cli.views.plans import plan_view, risk_view
from carapulse.surfaces.demo.alerting import GOOD, SOURCE, Alertmanager, payload, registration
from carapulse.surfaces.demo.repository import declaration
from carapulse.surfaces.demo.scene import Json, Scene, refusal

_BAD = "1.5.0"
_SECOND = 1.0


def register(scene: Scene) -> Alertmanager:
    """Let grace say what an Alertmanager may report, and what that leads to."""
    issued = scene.carapulse.as_("grace").put(path_of("sources", SOURCE), registration(scene.world)).body
    return Alertmanager(scene.carapulse.url + issued["source"]["path"], str(issued["secret"]))


def break_shop(scene: Scene) -> str:
    """Release what nobody judged, and return what customers notice."""
    with scene.claims.chapter(f"A release breaks the shop: checkout {_BAD} loses its database connections"):
        scene.world.release(_BAD)
        rate = scene.world.await_failures(50)
        scene.claims.check("customers can't order", rate >= 50, f"{rate:.0f} % of the last orders failed")  # noqa: PLR2004 - half
        return f"checkout answers 5xx to {rate:.1f}% of requests"


def report(scene: Scene, alertmanager: Alertmanager, summary: str) -> Json:
    """Send the alert, and return the plan that comes of it."""
    with scene.claims.chapter("An Alertmanager reports it, and the alert becomes a plan"):
        _send(scene, alertmanager, summary)
        alert = scene.await_("the alert", lambda: _alert(scene, {"planned", "failed"}))
        planned = alert["status"] == "planned"
        scene.claims.check("the alert has a plan", planned, alert["plan_id"] if planned else alert["reasons"])
        plan = scene.plan(alert["plan_id"])
        scene.stage.show(plan_view(plan))
        scene.stage.show(risk_view(scene.carapulse.as_("ada").get(path_of("plans", plan["plan_id"], "risk")).body))
        waits = plan["decision"] == "require_approval" and plan["approvals_required"] == 1
        reasons = [reason["reason"] for reason in plan["reasons"]]
        scene.claims.check("policy wants a person to agree, and says why", waits and bool(reasons), ", ".join(reasons))
        return plan


def _send(scene: Scene, alertmanager: Alertmanager, summary: str) -> None:
    delivery, began = f"msg_{secrets.token_hex(8)}", time.monotonic()
    status, took = alertmanager.notify("firing", summary, delivery).status_code, time.monotonic() - began
    quickly = status == HTTPStatus.ACCEPTED and took < _SECOND
    scene.claims.check("the signed alert is taken in less than a second", quickly, f"{status} in {took:.2f} s")
    status = alertmanager.notify("firing", summary, delivery).status_code
    scene.claims.check("the same delivery again is refused", status == HTTPStatus.CONFLICT, status)
    status = alertmanager.send(new_secret(), payload("firing", summary), "msg_strange").status_code
    scene.claims.check("a signature of somebody else is refused", status == HTTPStatus.UNAUTHORIZED, status)


def agree(scene: Scene, plan: Json) -> None:
    """Let a second person approve exactly this plan, and nobody execute it before."""
    with scene.claims.chapter("A second person approves exactly this plan"):
        early = refusal(lambda: scene.execute(plan))
        scene.claims.check("nobody can execute it before", early.startswith("403"), early)
        other = refusal(lambda: scene.answer("lin", plan, "approved", digest="sha256:" + "0" * 64))
        scene.claims.check("an answer to another plan than this is refused", other.startswith("409"), other)
        answered = scene.answer("lin", plan, "approved", note="1.4.0 ran for weeks")
        scene.claims.check("lin approves", answered["status"] == "approved", plan["digest"])


def mend(scene: Scene, plan: Json, alertmanager: Alertmanager, summary: str) -> None:
    """Execute the plan, and look at the world itself, not at what Carapulse says of it."""
    with scene.claims.chapter("Executed step by step, and verified against the service itself"):
        execution = scene.execute(plan)
        scene.claims.check("every step succeeded", execution["status"] == "succeeded", _ways(execution))
        declared = scene.world.repository.declared()
        scene.claims.check(
            f"the repository declares {GOOD}", declared == declaration(GOOD), scene.world.repository.history()[0]
        )
        state = scene.world.application()["status"]
        synced = state["sync"] == {"status": "Synced", "revision": scene.world.repository.head()}
        scene.claims.check("the reconciler runs that commit", synced, state["sync"]["revision"])
        order = scene.world.order()
        scene.claims.check(
            "a customer can order", (order.status, order.version) == (200, GOOD), f"{order.status} from {order.version}"
        )
        alertmanager.notify("resolved", summary)
        alert = scene.await_("the end of the alert", lambda: _alert(scene, {"resolved"}))
        scene.claims.check("the alert is resolved", alert["status"] == "resolved", alert["id"])


def _alert(scene: Scene, statuses: set[str]) -> Json | None:
    alerts = scene.carapulse.as_("grace").get("/v1/alerts").body["data"]
    return next((alert for alert in alerts if alert["status"] in statuses), None)


def _ways(execution: Json) -> str:
    return ", ".join(f"{step['id']} {step['status']}" for step in execution["steps"])
