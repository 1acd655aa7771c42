"""What may become of a change, told on any installation, and the log of it without what is different each time."""

import re
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, closing, contextmanager
from pathlib import Path
from typing import Any

from tests.conftest import Database
from tests.world.rig import a_call, act, check
from tests.world.server import a_world
from tests.world.working import Working

from carapulse.approvals.usecases import DecideApproval, decide_approval
from carapulse.executions.usecases import ExecutePlan, execute_plan
from carapulse.executions.wishes import CancelExecution, cancel_execution
from carapulse.plans.views import PlanView

Entry = tuple[str, str, Any]
_ID = re.compile(r"\b([a-z]+)_[0-9a-f]{32}\b")
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
_MOMENT = re.compile(r"\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+]\d\d:\d\d)")
_PLACE = re.compile(r"127\.0\.0\.1:\d+")
_BY_CHANCE = {"duration_ms", "lease", "fence"}


def success(rig: Working) -> PlanView:
    """Approved, executed, verified."""
    plan = rig.plan(act("switch", "hall"), check("hall"), environment="prod")
    _executed(rig, plan)
    return plan


def undone(rig: Working) -> PlanView:
    """Executed, and undone because it did not help."""
    plan = rig.plan(act("switch", "attic"), act("toggle", "attic-fan"), check("cellar"))
    _executed(rig, plan)
    return plan


def denied(rig: Working) -> PlanView:
    """Refused by a person."""
    plan = rig.plan(act("switch", "porch"), check("porch"), environment="prod")
    command = DecideApproval(plan_id=plan.plan_id, status="denied", digest=plan.digest)
    decide_approval(command, a_call("grace", "approver"), rig.app)
    return plan


def expired(rig: Working) -> PlanView:
    """Answered by nobody in time."""
    plan = rig.plan(act("switch", "shed"), check("shed"), environment="prod")
    named = {"plan": plan.plan_id}
    rig.rows("UPDATE approvals SET expires_at = clock_timestamp() WHERE plan_id = :plan RETURNING id", **named)
    rig.rows(
        "UPDATE messages SET available_at = clock_timestamp(), receipt = NULL"
        " WHERE type = 'ExpireApproval' AND body ->> 'plan_id' = :plan RETURNING id",
        **named,
    )
    rig.until(lambda: _status(rig, plan) == "expired")
    return plan


def cancelled(rig: Working) -> PlanView:
    """Stopped in the middle, and undone."""
    rig.world.delays["PUT well"] = 2.0
    plan = rig.plan(act("switch", "gate"), act("switch", "well"), check("gate"))
    execution = _started(rig, plan)
    rig.until(lambda: rig.world.counts["PUT well"] == 1)
    cancel_execution(execution, CancelExecution(), a_call(), rig.app)
    rig.finish(execution)
    return plan


def retried(rig: Working) -> PlanView:
    """Refused by what it changes at first, and done then."""
    rig.world.busy["PUT yard"] = 2
    plan = rig.plan(act("switch", "yard"), check("yard"))
    _executed(rig, plan)
    return plan


def fanned(rig: Working) -> PlanView:
    """Done at several places, two at once."""
    bells = act("ring", "x", id="bells", for_each={"values": [f"bell-{n}" for n in range(5)], "max_concurrency": 2})
    plan = rig.plan({**bells, "input": {"lamp": {"$each": "@"}}}, check("bell-0", on=False))
    _executed(rig, plan)
    return plan


TALES: dict[str, Callable[[Working], PlanView]] = {
    each.__name__: each for each in (success, undone, denied, expired, cancelled, retried, fanned)
}


@contextmanager
def embedded(database: Database, folder: Path) -> Iterator[Working]:
    """Give an installation whose messages the database brings itself, as on a laptop: the one that others are like."""
    with a_world() as world:
        yield Working(database.app_url, world, folder)


def told_on(way: AbstractContextManager[Working]) -> dict[str, list[Entry]]:
    """Tell every tale on an installation, all at once, and return the log of each."""
    with way as rig, closing(rig):
        with rig.working(6), ThreadPoolExecutor(len(TALES)) as tellers:
            telling = {name: tellers.submit(tale, rig) for name, tale in TALES.items()}
            plans = {name: each.result() for name, each in telling.items()}
        return {name: log_of(rig, plan) for name, plan in plans.items()}


def log_of(rig: Working, plan: PlanView) -> list[Entry]:
    """Return what the log says of a plan: each step's facts in their order, after those of the whole in theirs.

    Steps that run at once end in any order, so that is left out; so are moments, measured times, who held a lease, and in
    which turn.
    """
    query = "SELECT type, actor, body FROM events WHERE stream = :plan ORDER BY seq"
    names: dict[str, str] = {}
    told = [
        (str(row.body.get("step_id", "")), row.type, {"actor": row.actor, **_plain(row.body, names)})
        for row in rig.rows(query, plan=plan.plan_id)
    ]
    return sorted(told, key=lambda each: each[0])


def _plain(value: Any, names: dict[str, str]) -> Any:
    if isinstance(value, dict):
        return {key: "-" if key in _BY_CHANCE else _plain(each, names) for key, each in value.items()}
    if isinstance(value, list):
        return [_plain(each, names) for each in value]
    if not isinstance(value, str):
        return value
    plain = _ID.sub(lambda found: names.setdefault(found[0], found[1]), value)
    return _PLACE.sub("world", _DIGEST.sub("digest", _MOMENT.sub("moment", plain)))


def _executed(rig: Working, plan: PlanView) -> None:
    rig.finish(_started(rig, plan))


def _started(rig: Working, plan: PlanView) -> str:
    if plan.approvals_required:
        rig.approve(plan)
    return execute_plan(plan.plan_id, ExecutePlan(), a_call(), rig.app).id


def _status(rig: Working, plan: PlanView) -> str:
    return str(rig.rows("SELECT status FROM plans WHERE id = :plan", plan=plan.plan_id)[0][0])
