"""A plan and its current version as whoever shows them reads them: one question to the database, answered in JSON.

It finds what `PostgresPlans.current` finds, and refuses what that refuses. SQLAlchemy and a transaction of several
turns were most of the price of reading a plan, which is asked for more often than anything else.
"""

from collections.abc import Sequence
from typing import Final

from carapulse.kernel.call import Call
from carapulse.plans.errors import PlanNotFound, VersionNotFound
from carapulse.plans.kept import kept_version
from carapulse.plans.model import Plan, PlanVersion
from carapulse.plans.tables import plans
from carapulse.rows import read_text

_HEAD: Final = ", ".join(f"'{column.name}', p.{column.name}" for column in plans.c if column.name != "tenant")
_GLANCE: Final = f"""
SELECT json_build_object({_HEAD}), v.body, v.digest
FROM plans p LEFT JOIN plan_versions v ON v.tenant = p.tenant AND v.plan_id = p.id AND v.version = p.version
WHERE p.tenant = $1 AND p.id = $2
AND ($3::text[] IS NULL OR p.environment = ANY ($3::text[]))
AND ($4::text[] IS NULL OR p.service = ANY ($4::text[]))
AND ($5::text[] IS NULL OR v.body -> 'context' ->> 'cluster_id' = ANY ($5::text[]))
"""  # noqa: S608 - our own names


def glance_at(plan_id: str, call: Call) -> tuple[str, tuple[str | list[str] | None, ...]]:
    """Return the question: its statement and values. What lies outside of the caller's scope is as if it were not."""
    scope = call.actor.scope
    within = [names if names is None else list(names) for names in (scope.environments, scope.services, scope.clusters)]
    return _GLANCE, (call.tenant, plan_id, *within)


def seen(rows: Sequence[Sequence[str | None]], plan_id: str) -> tuple[Plan, PlanVersion]:
    """Return what the answer says; raises PlanNotFound, VersionNotFound, or CorruptRow as if it had been read so."""
    if not rows:
        raise PlanNotFound("no such plan", plan_id=plan_id)
    head, body, digest = rows[0]
    plan = read_text(Plan, head or "", table="plans", row_id=plan_id)
    if body is None:
        raise VersionNotFound("the plan has no such version", plan_id=plan_id, version=plan.version)
    return plan, kept_version(body, digest, f"{plan_id}/{plan.version}")
