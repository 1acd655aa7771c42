"""What is told about a request that is refused: a number, a log line, and an event in the tenant's log."""

from typing import Protocol, cast

from anyio import CapacityLimiter, move_on_after
from anyio.to_thread import run_sync
from starlette.types import Scope

from carapulse.identity.model import Principal
from carapulse.identity.refusals import Refusal, RefusalLog
from carapulse.kernel.errors import Denied, Problem, Unauthenticated
from carapulse.metrics import Count
from carapulse.observe import get_logger
from carapulse.routing import HasClock, call_of

UNKNOWN = Count("carapulse_unauthenticated_total", "Requests of nobody who could prove who they are", {"code": None})
REFUSED = Count("carapulse_refused_total", "Requests that were refused to a known caller", {"code": None})

_PATIENCE_S = 2.0
_THREADS = 2

log = get_logger(__name__)


class TellsRefusals(HasClock, Protocol):
    """The part of the application that refusals are told."""

    @property
    def refusals(self) -> RefusalLog:
        """What puts refusals into the log."""
        ...


async def tell(problem: Problem, scope: Scope) -> None:
    """Count a refusal and put it into the log, before it is answered. The answer waits for that, but not for long.

    What policy refused is in the log already, with its decision.
    """
    if isinstance(problem, Unauthenticated):
        UNKNOWN.add(code=problem.code)
        log.info("caller_unknown", code=problem.code, path=scope["path"])
    if not isinstance(problem, Denied):
        return
    REFUSED.add(code=problem.code)
    state = scope.get("state", {})
    principal: Principal | None = state.get("principal")
    if principal is not None and "decision_id" not in problem.facts:
        served = scope["app"].state
        app = cast("TellsRefusals", served.app)
        await _write(_refusal(problem, scope, principal, app), app.refusals, served.refusing)


def a_limiter() -> CapacityLimiter:
    """Return what keeps the writing of refusals away from the threads of routes."""
    return CapacityLimiter(_THREADS)


def _refusal(problem: Problem, scope: Scope, principal: Principal, app: HasClock) -> Refusal:
    return Refusal(
        call=call_of(principal, app.clock),
        reason=problem.code,
        permission=problem.facts.get("permission", scope.get("state", {}).get("permission")),
        method=scope.get("method", "GET"),
        route=getattr(scope.get("route"), "path", None),
    )


async def _write(refusal: Refusal, refusals: RefusalLog, limiter: CapacityLimiter) -> None:
    left_out = refusals.claim(refusal)
    if left_out is None:
        return
    with move_on_after(_PATIENCE_S) as patience:
        try:
            await run_sync(refusals.write, refusal, left_out, limiter=limiter, abandon_on_cancel=True)
        except Exception:  # the edge: a refusal that can't be written is a refusal all the same
            log.exception("refusal_not_recorded")
            refusals.miss(refusal, left_out + 1)
    if patience.cancelled_caught:
        log.warning("refusal_not_recorded", reason=refusal.reason, seconds=_PATIENCE_S)
