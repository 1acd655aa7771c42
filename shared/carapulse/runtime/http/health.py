"""Whether the process lives, whether it can work, and its numbers. Open to everybody, so they say little."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Protocol

from anyio import CapacityLimiter, move_on_after
from anyio.to_thread import run_sync
from fastapi import APIRouter, Response
from fastapi.responses import JSONResponse
from prometheus_client import CONTENT_TYPE_LATEST

from carapulse.metrics import show_metrics
from carapulse.observe import get_logger

_PATIENCE = 5.0

log = get_logger(__name__)


class HasReadiness(Protocol):
    """The part of the application that knows whether it can work."""

    def ready(self) -> Mapping[str, bool]:
        """Return each thing the application needs, and whether it answers. May block for a moment."""
        ...


def make_health_router(app: HasReadiness) -> APIRouter:
    """Return the routes that a platform asks."""
    router = APIRouter(tags=["health"])
    # Its own thread: a busy worker pool must not make the process look dead.
    apart = CapacityLimiter(1)

    @router.get("/healthz")
    async def healthz() -> dict[str, str]:
        """Say that the process lives."""
        return {"status": "ok"}

    @router.get("/readyz")
    async def readyz() -> Response:
        """Say whether the process can work: everything it needs was asked just now and answered."""
        with move_on_after(_PATIENCE):
            if await run_sync(_is_ready, app, limiter=apart, abandon_on_cancel=True):
                return JSONResponse({"status": "ok"})
        return JSONResponse({"status": "unavailable"}, HTTPStatus.SERVICE_UNAVAILABLE, {"Retry-After": "5"})

    @router.get("/metrics", include_in_schema=False)
    async def metrics() -> Response:
        """Show the numbers that the process keeps."""
        return Response(show_metrics(), media_type=CONTENT_TYPE_LATEST)

    return router


def _is_ready(app: HasReadiness) -> bool:
    try:
        checks = app.ready()
    except Exception:
        log.exception("readiness_unknown")
        return False
    if not checks or not all(checks.values()):
        log.warning("not_ready", failed=sorted(name for name, is_fine in checks.items() if not is_fine))
        return False
    return True
