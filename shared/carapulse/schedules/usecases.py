"""What can be asked of schedules. One function is one thing that an operator can ask for."""

from carapulse.kernel.call import Call
from carapulse.kernel.cursor import Page
from carapulse.kernel.patch import MergePatch, patched
from carapulse.kernel.precondition import WHICHEVER, Match
from carapulse.schedules.asking import check_request
from carapulse.schedules.errors import ScheduleNameTaken
from carapulse.schedules.events import ScheduleChanged, ScheduleCreated, ScheduleDeleted
from carapulse.schedules.model import Schedule, ScheduleTerms
from carapulse.schedules.ports import RunFilter, ScheduleFilter, SchedulePorts, ScheduleWork
from carapulse.schedules.views import SchedulePreview, ScheduleRunView, ScheduleView


def create_schedule(terms: ScheduleTerms, call: Call, ports: SchedulePorts) -> ScheduleView:
    """Keep a schedule whose plan could be made now."""
    check_request(terms, call, ports)
    schedule = Schedule.of(terms, call)
    with ports.begin(call) as work:
        _must_be_free(terms.name, None, work)
        work.schedules.add(schedule, schedule.next_after(call.at))
        work.record(schedule.id, ScheduleCreated.of(schedule))
    return ScheduleView.of_schedule(schedule, call.at)


def preview_schedule(terms: ScheduleTerms, call: Call, ports: SchedulePorts) -> SchedulePreview:
    """Return when a schedule would come due, if it could be kept."""
    check_request(terms, call, ports)
    return SchedulePreview.of(terms, call.at)


def list_schedules(wanted: ScheduleFilter, call: Call, ports: SchedulePorts) -> Page[ScheduleView]:
    """Return schedules, the newest first."""
    with ports.begin(call) as work:
        page = work.schedules.page(wanted)
    shown = tuple(ScheduleView.of_schedule(each, call.at) for each in page.data)
    return Page(data=shown, next_cursor=page.next_cursor)


def get_schedule(schedule_id: str, call: Call, ports: SchedulePorts) -> ScheduleView:
    """Return one schedule."""
    with ports.begin(call) as work:
        return ScheduleView.of_schedule(work.schedules.get(schedule_id), call.at)


def change_schedule(
    schedule_id: str, patch: MergePatch, call: Call, ports: SchedulePorts, seen: Match = WHICHEVER
) -> ScheduleView:
    """Change a schedule; what it then asks for must be possible as if it were new."""
    with ports.begin(call) as work:
        before = work.schedules.get(schedule_id)
    seen.check(before.kept)
    terms = patched(before.terms, patch)
    check_request(terms, call, ports)
    with ports.begin(call) as work:
        locked = work.schedules.lock(schedule_id)
        seen.check(locked.kept)
        _must_be_free(terms.name, schedule_id, work)
        changed = locked.changed(patched(locked.terms, patch), call)
        work.schedules.replace(changed)
        if not changed.comes_due_as(locked):
            work.schedules.reschedule(schedule_id, changed.next_after(call.at))
        work.record(schedule_id, ScheduleChanged.of(changed))
    return ScheduleView.of_schedule(changed, call.at)


def list_runs(schedule_id: str, wanted: RunFilter, call: Call, ports: SchedulePorts) -> Page[ScheduleRunView]:
    """Return the latest runs of a schedule, the latest first."""
    with ports.begin(call) as work:
        schedule = work.schedules.get(schedule_id)
        page = work.schedule_runs.page(schedule.id, wanted)
    return Page(data=tuple(ScheduleRunView.of(each) for each in page.data), next_cursor=page.next_cursor)


def delete_schedule(schedule_id: str, call: Call, ports: SchedulePorts, seen: Match = WHICHEVER) -> None:
    """Forget a schedule. The plans that came of it stay."""
    with ports.begin(call) as work:
        schedule = work.schedules.lock(schedule_id)
        seen.check(schedule.kept)
        work.schedules.delete(schedule_id)
        work.record(schedule_id, ScheduleDeleted(schedule_id=schedule_id, name=schedule.name))


def _must_be_free(name: str, own: str | None, work: ScheduleWork) -> None:
    other = work.schedules.id_of(name)
    if other not in {None, own}:
        raise ScheduleNameTaken("another schedule has this name", name=name, schedule_id=other)
