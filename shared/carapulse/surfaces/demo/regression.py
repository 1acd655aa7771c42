"""The second story: a change that everybody agreed to does not help, and undoes itself."""

from typing import Any

from carapulse.surfaces.cli.views.plans import plan_view
from carapulse.surfaces.demo.alerting import GOOD, WHERE, change, ordering_works, reconciler_runs
from carapulse.surfaces.demo.installation import ENVIRONMENT
from carapulse.surfaces.demo.scene import Json, Scene, refusal
from carapulse.surfaces.demo.world import World

_SLOW = "1.6.0"
_LONGEST_MS = 250


def ask(scene: Scene) -> Json:
    """Let ada ask for the next release, and find that she can't agree to it herself."""
    with scene.claims.chapter(f"Ada asks for the next release, checkout {_SLOW}"):
        plan: Json = scene.carapulse.as_("ada").post("/v1/plans", request(scene.world)).body
        scene.stage.show(plan_view(plan))
        own = refusal(lambda: scene.answer("ada", plan, "approved"))
        scene.claims.check("ada can't approve what she asked for", own.startswith("403"), own)
        answered = scene.answer("lin", plan, "approved", note="the leak is mended in it")
        scene.claims.check("lin approves", answered["status"] == "approved", plan["digest"])
        return plan


def turn_back(scene: Scene, plan: Json) -> None:
    """Execute it, see its verification fail, and find the world as it was."""
    with scene.claims.chapter("It does not help, and undoes itself"):
        before, commits = scene.world.repository.declared(), len(scene.world.repository.history())
        execution = scene.execute(plan)
        steps = {step["id"]: step for step in execution["steps"]}
        failed = steps["ordering"]
        scene.claims.check(
            "its verification fails", failed["status"] == "failed", (failed["error"] or {}).get("detail")
        )
        undone = (steps["release"]["undo"] or {}).get("status")
        scene.claims.check("what was done is undone", undone == "succeeded", f"release: undo {undone}")
        scene.claims.check("the execution says so", execution["status"] == "rolled_back", execution["status"])
        history = scene.world.repository.history()
        restored = scene.world.repository.declared() == before and len(history) == commits + 2
        scene.claims.check("the repository declares what it declared before", restored, " ← ".join(history[:2]))
        scene.world.await_revision(scene.world.repository.head())
        order = scene.world.order()
        quick = (order.status, order.version) == (200, GOOD) and order.seconds * 1000 < _LONGEST_MS
        scene.claims.check(
            "the service is the one from before", quick, f"{order.version} in {order.seconds * 1000:.0f} ms"
        )


def request(world: World, version: str = _SLOW) -> dict[str, Any]:
    """Return what ada asks for: steps of her own, judged as any other."""
    act = {"stage": "act", "tool": "git", "action": "commit_file", "undo": "automatic"}
    return {
        "summary": f"Release checkout {version}",
        "intent": "Mend the leak for good",
        "context": {"environment": ENVIRONMENT, "service": "checkout"},
        "steps": [
            {"id": "look", "stage": "diagnose", "tool": "git", "action": "read_file", "input": WHERE},
            {"id": "release", **act, "input": change(version, f"Release checkout {version}")},
            {"id": "synced", "stage": "verify", **reconciler_runs(world, version), "retry": _retry(8)},
            {"id": "ordering", "stage": "verify", **ordering_works(world, version, _LONGEST_MS), "retry": _retry(3)},
        ],
    }


def _retry(attempts: int) -> dict[str, float]:
    return {"attempts": attempts, "backoff_s": 0.3, "max_backoff_s": 0.6}
