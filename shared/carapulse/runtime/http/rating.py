"""Which requests are counted together, and how: before a route, and before a body is read."""

from collections.abc import Mapping
from hashlib import sha256
from http import HTTPStatus
from ipaddress import IPv6Address, ip_address
from typing import Final

from anyio import CapacityLimiter
from anyio.lowlevel import RunVar
from anyio.to_thread import run_sync
from starlette.datastructures import Headers, MutableHeaders
from starlette.routing import compile_path
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from carapulse.metrics import Count
from carapulse.rates.errors import RateLimited
from carapulse.rates.model import WINDOW_S, RateClass, Share, Spender, Standing
from carapulse.rates.spending import Rates
from carapulse.runtime.http.paths import GUARDED, SIGNED, path_of, source_of
from carapulse.runtime.http.problems import respond
from carapulse.runtime.http.strangers import Strangers

ROUTES: Final[Mapping[str, RateClass]] = {
    "POST /v1/plans": RateClass.START,
    "POST /v1/plans/{plan_id}/versions": RateClass.START,
    "POST /v1/plans/{plan_id}:execute": RateClass.START,
    "POST /v1/executions/{execution_id}:retry": RateClass.START,
    "POST /v1/executions/{execution_id}:undo": RateClass.START,
    "POST /v1/workflows/{name}:start": RateClass.START,
    "POST /v1/dead-letters/{message_id}:replay": RateClass.START,
    "GET /v1/executions/{execution_id}/logs": RateClass.STREAM,
    "GET /v1/events": RateClass.STREAM,
}
"""What is neither read nor plainly written. Webhooks are a class of their own, counted for each source."""

_READ = frozenset({"GET", "HEAD", "OPTIONS"})
_COMPILED = [
    (method, compile_path(path)[0], rate_class)
    for (method, _, path), rate_class in ((name.partition(" "), rate_class) for name, rate_class in ROUTES.items())
]
_STANDING = "rates"
_REFUSED = Count("carapulse_rate_limited_requests_total", "Requests refused for being too many", {"policy": None})
# Claims have threads of their own, few, so that neither routes nor claims wait behind the other when all are busy.
_claiming: RunVar[CapacityLimiter] = RunVar("carapulse_claiming")


def class_of(method: str, path: str) -> RateClass:
    """Return what a request is counted as."""
    if path.startswith(SIGNED):
        return RateClass.WEBHOOK
    asked = "GET" if method == "HEAD" else method
    for wanted, pattern, rate_class in _COMPILED:
        if asked == wanted and pattern.match(path):
            return rate_class
    return RateClass.READ if method in _READ else RateClass.WRITE


class Meter:
    """Counts a request for whoever makes it."""

    def __init__(self, rates: Rates) -> None:
        self._rates = rates

    async def count(self, scope: Scope) -> None:
        """Return if the request may go on; raise RateLimited if it is one too many, Unavailable if nobody can say."""
        spender = _spender(scope)
        standing = self._rates.spend(spender)
        if standing is None:
            standing = await run_sync(self._rates.borrow, spender, limiter=_claims_at_once())
        scope["state"][_STANDING] = standing
        if standing.refused_by is not None:
            raise refusal(standing.refused_by)


class Rated:
    """Tells each caller how it stands, and holds up an address from which too many ask who can't say who they are."""

    def __init__(self, app: ASGIApp, strangers: Strangers) -> None:
        self._app = app
        self._strangers = strangers

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve the request, or answer that there were too many."""
        path = path_of(scope) if scope["type"] == "http" else ""
        if not path.startswith(GUARDED):
            await self._app(scope, receive, send)
            return
        state = scope.setdefault("state", {})
        address, proof = _address(scope), sha256(Headers(scope=scope).get("authorization", "").encode()).digest()

        async def tell(message: Message) -> None:
            if message["type"] == "http.response.start":
                if "principal" in state:
                    self._strangers.trust(proof)
                elif message["status"] == HTTPStatus.UNAUTHORIZED and not path.startswith(SIGNED):
                    self._strangers.suspect(address, proof)
                _show(state.get(_STANDING), MutableHeaders(scope=message))
            await send(message)

        refused = None if path.startswith(SIGNED) else self._strangers.refuse(address, proof)
        if refused is None:
            await self._app(scope, receive, tell)
        else:
            state[_STANDING] = Standing((refused,), refused)
            await respond(refusal(refused))(scope, receive, tell)


def refusal(share: Share) -> RateLimited:
    """Return the error that tells when to come back."""
    _REFUSED.add(policy=share.policy)
    return RateLimited(
        "too many requests", policy=share.policy, limit=share.most, window_s=WINDOW_S, retry_after=share.reset_s
    )


def _show(standing: Standing | None, headers: MutableHeaders) -> None:
    if standing is not None and standing.shares:
        headers["RateLimit-Policy"] = ", ".join(
            f'"{each.policy}";q={each.most};w={WINDOW_S}' for each in standing.shares
        )
        headers["RateLimit"] = ", ".join(f'"{each.policy}";r={each.left};t={each.reset_s}' for each in standing.shares)


def _spender(scope: Scope) -> Spender:
    path = path_of(scope)
    rate_class = RateClass.STREAM if scope["type"] == "websocket" else class_of(scope["method"], path)
    if rate_class is RateClass.WEBHOOK:
        return Spender(rate_class, source_of(path))
    principal = scope["state"]["principal"]
    return Spender(rate_class, principal.actor.id, principal.tenant)


def _address(scope: Scope) -> str:
    """Return the caller's address; those of one IPv6 network are one, for a caller has as many as it likes."""
    client = scope.get("client")
    try:
        address = ip_address(client[0] if client else "")
    except ValueError:
        return "unknown"
    return str(int(address) >> 64) if isinstance(address, IPv6Address) else str(address)


def _claims_at_once() -> CapacityLimiter:
    try:
        return _claiming.get()
    except LookupError:
        limiter = CapacityLimiter(2)
        _claiming.set(limiter)
        return limiter
