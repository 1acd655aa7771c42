"""Freezes and maintenance windows over HTTP."""

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Query

from carapulse.conditions import IfMatch, ThisTag
from carapulse.examples import shows
from carapulse.freezes.examples import CHANGING_FREEZES, CHANGING_WINDOWS, FREEZES, WINDOWS
from carapulse.freezes.model import Freeze, FreezeTerms
from carapulse.freezes.ports import FreezeFilter, WindowFilter
from carapulse.freezes.usecases import (
    Lift,
    change_freeze,
    change_window,
    declare_freeze,
    declare_window,
    get_freeze,
    get_window,
    lift_freeze,
    lift_window,
    list_freezes,
    list_windows,
)
from carapulse.freezes.windows import Window, WindowTerms
from carapulse.kernel.cursor import Page
from carapulse.kernel.patch import MergePatch
from carapulse.paging import ThesePages
from carapulse.routing import Ports, ThisCall, needs

router = APIRouter(tags=["freezes"])
Lifting = Annotated[Lift, Query()]


@router.post(
    "/v1/freezes",
    name="declare_freeze",
    status_code=HTTPStatus.CREATED,
    dependencies=[needs("freeze:write")],
    openapi_extra=shows(FREEZES),
)
def create_freeze(terms: FreezeTerms, tag: ThisTag, call: ThisCall, ports: Ports) -> Freeze:
    """Forbid changes, at once or later. What is under way may finish the step that it is at, and undo what it did."""
    freeze = declare_freeze(terms, call, ports)
    return tag.at(f"/v1/freezes/{freeze.id}", freeze)


@router.get("/v1/freezes", name="list_freezes", dependencies=[needs("freeze:read")])
def freezes(wanted: Annotated[FreezeFilter, Query()], pages: ThesePages, call: ThisCall, ports: Ports) -> Page[Freeze]:
    """List freezes, the newest first; with `active_at` those that hold, or held, at that moment."""
    return pages.turn(lambda wanted: list_freezes(wanted, call, ports), wanted)


@router.get("/v1/freezes/{freeze_id}", name="get_freeze", dependencies=[needs("freeze:read")])
def one_freeze(freeze_id: str, tag: ThisTag, call: ThisCall, ports: Ports) -> Freeze:
    """Show a freeze, also one that was lifted."""
    return tag.on(get_freeze(freeze_id, call, ports))


@router.patch(
    "/v1/freezes/{freeze_id}",
    name="change_freeze",
    dependencies=[needs("freeze:write")],
    openapi_extra=shows(CHANGING_FREEZES),
)
def patch_freeze(
    freeze_id: str, patch: MergePatch, seen: IfMatch, tag: ThisTag, call: ThisCall, ports: Ports
) -> Freeze:
    """Change a freeze that is not over by a merge patch (RFC 7396)."""
    return tag.on(change_freeze(freeze_id, patch, call, ports, seen))


@router.delete(
    "/v1/freezes/{freeze_id}",
    name="lift_freeze",
    status_code=HTTPStatus.NO_CONTENT,
    dependencies=[needs("freeze:write")],
)
def delete_freeze(freeze_id: str, why: Lifting, seen: IfMatch, call: ThisCall, ports: Ports) -> None:
    """Lift a freeze, for a reason that is recorded. It can still be read."""
    lift_freeze(freeze_id, why, call, ports, seen)


@router.post(
    "/v1/windows",
    name="declare_window",
    status_code=HTTPStatus.CREATED,
    dependencies=[needs("window:write")],
    openapi_extra=shows(WINDOWS),
)
def create_window(terms: WindowTerms, tag: ThisTag, call: ThisCall, ports: Ports) -> Window:
    """Allow changes in certain hours of the week. An environment that has windows is closed outside of them."""
    window = declare_window(terms, call, ports)
    return tag.at(f"/v1/windows/{window.id}", window)


@router.get("/v1/windows", name="list_windows", dependencies=[needs("window:read")])
def windows(wanted: Annotated[WindowFilter, Query()], pages: ThesePages, call: ThisCall, ports: Ports) -> Page[Window]:
    """List maintenance windows, the newest first."""
    return pages.turn(lambda wanted: list_windows(wanted, call, ports), wanted)


@router.get("/v1/windows/{window_id}", name="get_window", dependencies=[needs("window:read")])
def one_window(window_id: str, tag: ThisTag, call: ThisCall, ports: Ports) -> Window:
    """Show a maintenance window, also one that was lifted."""
    return tag.on(get_window(window_id, call, ports))


@router.patch(
    "/v1/windows/{window_id}",
    name="change_window",
    dependencies=[needs("window:write")],
    openapi_extra=shows(CHANGING_WINDOWS),
)
def patch_window(
    window_id: str, patch: MergePatch, seen: IfMatch, tag: ThisTag, call: ThisCall, ports: Ports
) -> Window:
    """Change a window that was not lifted by a merge patch (RFC 7396)."""
    return tag.on(change_window(window_id, patch, call, ports, seen))


@router.delete(
    "/v1/windows/{window_id}",
    name="lift_window",
    status_code=HTTPStatus.NO_CONTENT,
    dependencies=[needs("window:write")],
)
def delete_window(window_id: str, why: Lifting, seen: IfMatch, call: ThisCall, ports: Ports) -> None:
    """Lift a window, for a reason that is recorded. It can still be read."""
    lift_window(window_id, why, call, ports, seen)
