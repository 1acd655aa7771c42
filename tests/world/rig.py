"""The whole application on a real database and in a small world, driven by hand: no threads but its own."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tests.builders.rates import GENEROUS
from tests.builders.shipped import the_shipped
from tests.world.server import World

from carapulse.approvals.usecases import DecideApproval, decide_approval
from carapulse.bootstrap import App, make_app
from carapulse.executions.model import ExecutionState
from carapulse.executions.usecases import ExecutePlan, execute_plan
from carapulse.kernel.call import Actor, Call
from carapulse.kernel.clock import Clock
from carapulse.plans.requests import CreatePlan
from carapulse.plans.usecases import create_plan
from carapulse.plans.views import PlanView
from carapulse.runtime.areas import handlers
from carapulse.runtime.minute import do_second
from carapulse.runtime.workers import Workers
from carapulse.settings import Settings

LAMP = Path(__file__).parent / "lamp.yaml"
NASTY = Path(__file__).parent / "nasty.yaml"
TENANT = "acme"


def a_call(who: str = "ada", *roles: str, tenant: str = TENANT) -> Call:
    """Return a call by a person; an operator unless other roles are given."""
    actor = Actor(id=who, roles=frozenset(roles or ("operator",)))
    return Call(actor=actor, tenant=tenant, at=datetime.now(UTC), trace="0" * 32)


def act(action: str, lamp: str, **more: Any) -> dict[str, Any]:
    """Return a step that changes a lamp."""
    value = {"lamp": lamp} if action in {"ring", "noop"} else {"lamp": lamp, "lit": True}
    return {"stage": "act", "tool": "lamp", "action": action, "input": value, **more}


def look(lamp: str, **more: Any) -> dict[str, Any]:
    """Return a step that looks at a lamp before anything is done."""
    return {"stage": "diagnose", "tool": "lamp", "action": "look", "input": {"lamp": lamp}, **more}


def everywhere(*lamps: str, action: str = "switch", name: str = "light", **limits: int) -> dict[str, Any]:
    """Return a step that changes each of some lamps."""
    step = act(action, "hall", id=name, for_each={"values": list(lamps), **limits})
    return {**step, "input": {**step["input"], "lamp": {"$each": "@"}}}


def check(lamp: str, *, on: bool = True, attempts: int = 1) -> dict[str, Any]:
    """Return a step that verifies a lamp."""
    return {
        "stage": "verify",
        "tool": "lamp",
        "action": "look",
        "input": {"lamp": lamp},
        "expect": [{"path": "lit", "op": "eq", "value": on}],
        "retry": {"attempts": attempts, "backoff_s": 0.02, "max_backoff_s": 0.05},
    }


class Rig:
    """One application, one world."""

    def __init__(
        self, database_url: str, world: World, folder: Path, /, *, clock: Clock | None = None, **settings: Any
    ) -> None:
        self.world = world
        self.folder = folder
        folder.mkdir(exist_ok=True, mode=0o700)
        connections = {
            "connections": [
                {"tool": "lamp", "name": "world", "match": {"tenant": TENANT}, "base_url": world.base_url},
                {
                    "tool": "http",
                    "name": "world",
                    "match": {"tenant": TENANT},
                    "may_reach": [world.base_url.removeprefix("http://")],
                },
                {
                    "tool": "nasty",
                    "name": "file",
                    "match": {"tenant": TENANT},
                    "settings": {"file": str(folder / "word")},
                    "limits": {"processes": 8},
                },
            ]
        }
        self.word = folder / "word"
        self.word.write_text("old")
        file = folder / "connections.yaml"
        file.write_text(json.dumps(connections))
        self.settings = Settings(data_dir=folder, connections_file=file, **{**GENEROUS, **settings})
        self.app: App = make_app(self.settings, database_url, clock, shipped=the_shipped(LAMP, NASTY))
        self.workers = self.new_workers()

    def new_workers(self, count: int = 1) -> Workers:
        """Return a pool for every queue."""
        chosen = self.settings
        reacting = handlers(chosen.orchestrator)
        return Workers(
            self.app.queue, reacting, self.app, self.app.clock, count, chosen.visibility_s, chosen.max_deliveries
        )

    def plan(self, *steps: dict[str, Any], environment: str = "dev", by: str = "ada", **more: Any) -> PlanView:
        """Create a plan of these steps."""
        command = {"summary": "Light the hall", "context": {"environment": environment}, "steps": steps, **more}
        return create_plan(CreatePlan.model_validate(command), a_call(by), self.app)

    def approve(self, plan: PlanView, by: str = "grace") -> None:
        """Approve a plan as somebody else."""
        command = DecideApproval(plan_id=plan.plan_id, status="approved", digest=plan.digest)
        decide_approval(command, a_call(by, "approver"), self.app)

    def start(self, plan: PlanView, by: str = "ada") -> str:
        """Execute a plan, approved if it needs to be, and return the execution's id."""
        if plan.approvals_required:
            self.approve(plan)
        return execute_plan(plan.plan_id, ExecutePlan(), a_call(by), self.app).id

    def finish(self, execution_id: str, seconds: float = 20) -> ExecutionState:
        """Work until the execution is over."""
        until = datetime.now(UTC).timestamp() + seconds
        while not (state := self.state(execution_id)).status.at_rest:
            assert datetime.now(UTC).timestamp() < until, f"still {state.status}: {state}"
            self.workers.run_until_idle()
        return state

    def run(self, *steps: dict[str, Any], **more: Any) -> ExecutionState:
        """Create, approve, execute and finish a plan."""
        return self.finish(self.start(self.plan(*steps, **more)))

    def state(self, execution_id: str) -> ExecutionState:
        """Return the execution as it is kept."""
        with self.app.begin(a_call()) as work:
            return work.executions.get(execution_id)

    def tick(self) -> None:
        """Let the clock look after what is overdue, as the program does every second."""
        do_second(self.app)

    def close(self) -> None:
        """Let go of the database."""
        self.app.close()
