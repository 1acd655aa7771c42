"""What every part of the story has at hand."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from carapulse.surfaces.cli.client import path_of
from carapulse.surfaces.cli.errors import Refused
from carapulse.surfaces.cli.views.executions import is_final
from carapulse.surfaces.demo.claims import Claims, DemoError
from carapulse.surfaces.demo.installation import Installation
from carapulse.surfaces.demo.stage import Stage
from carapulse.surfaces.demo.world import World

Json = Mapping[str, Any]
_PAUSE_S: Final = 0.15
_PATIENCE_S: Final = 20.0


@dataclass
class Scene:
    """The world, the installation, what was claimed so far, and the stage; and what is kept of each change."""

    folder: Path
    world: World
    carapulse: Installation
    claims: Claims
    stage: Stage
    executions: list[Json] = field(default_factory=list)
    evidence: list[Path] = field(default_factory=list)

    def plan(self, plan_id: str) -> Json:
        """Return a plan as it is now."""
        found: Json = self.carapulse.as_("ada").get(path_of("plans", plan_id)).body
        return found

    def answer(self, person: str, plan: Json, status: str, digest: str | None = None, note: str | None = None) -> Json:
        """Give one person's answer to a plan."""
        body = {"plan_id": plan["plan_id"], "status": status, "digest": digest or plan["digest"]}
        api = self.carapulse.as_(person)
        seen = api.get(path_of("plans", plan["plan_id"])).etag
        found: Json = api.post("/v1/approvals", body | ({"note": note} if note else {}), seen=seen).body
        return found

    def execute(self, plan: Json) -> Json:
        """Execute a plan, show it while it runs, and return how it ended."""
        ada = self.carapulse.as_("ada")
        begun = ada.post(path_of("plans", plan["plan_id"], verb="execute"), {"digest": plan["digest"]}).body
        until = time.monotonic() + _PATIENCE_S
        with self.stage.following() as show:
            while time.monotonic() < until:
                execution: Json = ada.get(path_of("executions", begun["execution_id"])).body
                show(execution, self._customers_say())
                if is_final(execution):
                    self.executions.append(execution)
                    return execution
                time.sleep(_PAUSE_S)
        raise DemoError(f"the execution {begun['execution_id']} did not end within {_PATIENCE_S:.0f} s")

    def await_(self, what: str, look: Callable[[], Json | None]) -> Json:
        """Look until something is there, and return it."""
        until = time.monotonic() + _PATIENCE_S
        while time.monotonic() < until:
            if (found := look()) is not None:
                return found
            time.sleep(_PAUSE_S)
        raise DemoError(f"{what} did not come within {_PATIENCE_S:.0f} s")

    def _customers_say(self) -> str:
        customers = self.world.customers
        return f"customers: {customers.failing_percent():.0f} % of the last orders failed" if customers else ""


def refusal(ask: Callable[[], object]) -> str:
    """Return with which status and code the API refused, or that it did not."""
    try:
        ask()
    except Refused as refused:
        return f"{refused.status} {refused.body.get('code')}"
    return "accepted"
