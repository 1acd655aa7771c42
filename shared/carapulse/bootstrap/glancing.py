"""Plans as they are shown, in one turn: what several areas keep of one."""

from dataclasses import dataclass

from sqlalchemy import Engine

from carapulse.adapters.postgres.engine import look
from carapulse.executions.store import tried_out
from carapulse.kernel.call import Call
from carapulse.plans.glance import glance_at, seen
from carapulse.plans.model import Plan, PlanVersion


@dataclass(frozen=True, slots=True)
class PostgresGlances:
    """Looks at plans, each time in a transaction that is over with the answer."""

    engine: Engine

    def at(self, plan_id: str, call: Call) -> tuple[Plan, PlanVersion, bool]:
        """Return the plan, its current version, and whether that was tried out in a dry run."""
        found, tried = look(self.engine, call.tenant, [glance_at(plan_id, call), tried_out(plan_id, call.tenant)])
        plan, version = seen(found, plan_id)
        return plan, version, [str(plan.version)] in tried
