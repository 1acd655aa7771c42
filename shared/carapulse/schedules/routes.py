"""Schedules over HTTP."""

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Query

from carapulse.conditions import IfMatch, Tag, ThisTag
from carapulse.examples import shows
from carapulse.kernel.cursor import Page
from carapulse.kernel.patch import MergePatch
from carapulse.paging import ThesePages
from carapulse.routing import Ports, ThisCall, needs
from carapulse.schedules.examples import CHANGING, SCHEDULES
from carapulse.schedules.model import ScheduleTerms
from carapulse.schedules.ports import RunFilter, ScheduleFilter
from carapulse.schedules.usecases import (
    change_schedule,
    create_schedule,
    delete_schedule,
    get_schedule,
    list_runs,
    list_schedules,
    preview_schedule,
)
from carapulse.schedules.views import SchedulePreview, ScheduleRunView, ScheduleView

router = APIRouter(tags=["schedules"])


@router.post(
    "/v1/schedules",
    name="create_schedule",
    status_code=HTTPStatus.CREATED,
    dependencies=[needs("schedule:write")],
    openapi_extra=shows(SCHEDULES),
)
def create(terms: ScheduleTerms, tag: ThisTag, call: ThisCall, ports: Ports) -> ScheduleView:
    """Keep a schedule, provided that what it asks for could be planned now. Its author is whoever asks."""
    made = create_schedule(terms, call, ports)
    tag.at(f"/v1/schedules/{made.id}", made.kept)
    return made


@router.post(
    "/v1/schedules:preview",
    name="preview_schedule",
    dependencies=[needs("schedule:read")],
    openapi_extra=shows(SCHEDULES),
)
def preview(terms: ScheduleTerms, call: ThisCall, ports: Ports) -> SchedulePreview:
    """Check a schedule without keeping it, and show when it would come due."""
    return preview_schedule(terms, call, ports)


@router.get("/v1/schedules", name="list_schedules", dependencies=[needs("schedule:read")])
def list_page(
    wanted: Annotated[ScheduleFilter, Query()], pages: ThesePages, call: ThisCall, ports: Ports
) -> Page[ScheduleView]:
    """List schedules, the newest first."""
    return pages.turn(lambda wanted: list_schedules(wanted, call, ports), wanted)


@router.get("/v1/schedules/{schedule_id}", name="get_schedule", dependencies=[needs("schedule:read")])
def get(schedule_id: str, tag: ThisTag, call: ThisCall, ports: Ports) -> ScheduleView:
    """Show a schedule. Its ETag stays the same while nobody changes it, whenever it comes due."""
    return _tagged(get_schedule(schedule_id, call, ports), tag)


@router.get("/v1/schedules/{schedule_id}/runs", name="list_schedule_runs", dependencies=[needs("schedule:read")])
def list_runs_page(
    schedule_id: str, wanted: Annotated[RunFilter, Query()], pages: ThesePages, call: ThisCall, ports: Ports
) -> Page[ScheduleRunView]:
    """List the last hundred times that a schedule came due and what came of them, the latest first."""
    return pages.turn(lambda wanted: list_runs(schedule_id, wanted, call, ports), wanted)


@router.patch(
    "/v1/schedules/{schedule_id}",
    name="change_schedule",
    dependencies=[needs("schedule:write")],
    openapi_extra=shows(CHANGING),
)
def change(
    schedule_id: str, patch: MergePatch, seen: IfMatch, tag: ThisTag, call: ThisCall, ports: Ports
) -> ScheduleView:
    """Change a schedule by a merge patch (RFC 7396); `{"enabled": false}` switches it off."""
    return _tagged(change_schedule(schedule_id, patch, call, ports, seen), tag)


@router.delete(
    "/v1/schedules/{schedule_id}",
    name="delete_schedule",
    status_code=HTTPStatus.NO_CONTENT,
    dependencies=[needs("schedule:delete")],
)
def delete(schedule_id: str, seen: IfMatch, call: ThisCall, ports: Ports) -> None:
    """Forget a schedule. The plans that came of it stay."""
    delete_schedule(schedule_id, call, ports, seen)


def _tagged(view: ScheduleView, tag: Tag) -> ScheduleView:
    tag.on(view.kept)
    return view
