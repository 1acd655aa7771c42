"""From a schedule that came due to the plan that it asks for."""

from carapulse.kernel.call import Call
from carapulse.kernel.errors import CorruptRow, NotFound, Problem
from carapulse.observe import get_logger
from carapulse.plans.reasons import Reason, reasons_of
from carapulse.plans.requests import Origin
from carapulse.plans.usecases import create_plan
from carapulse.redaction import redacted_text
from carapulse.schedules.events import ScheduleFailed, ScheduleSkipped
from carapulse.schedules.messages import PlanSchedule
from carapulse.schedules.model import Schedule
from carapulse.schedules.ports import SchedulePorts, ScheduleWork
from carapulse.schedules.runs import SWITCHED_OFF, ScheduleRun

log = get_logger(__name__)


def plan_schedule(message: PlanSchedule, call: Call, ports: SchedulePorts) -> None:
    """Make the plan that a schedule asks for. A repetition changes nothing: the plan's id was minted before.

    Whatever is wrong with what it asks for, or refused by policy, is kept with the run; only what can be expected to
    pass by itself is raised, for the message to come again. Nothing comes of a schedule that is gone.
    """
    with ports.begin(call) as work:
        run = work.schedule_runs.find(message.schedule_id, message.due_at)
        schedule = None if run is None else work.schedules.get(message.schedule_id)
    if run is None or schedule is None or run.status != "due":
        return
    if not schedule.enabled:
        _settle(message, run.skipped(SWITCHED_OFF), call, ports)
        return
    try:
        if not _is_planned(run, call, ports):
            create_plan(schedule.request, call, ports, _origin(schedule, run))
    except Problem as problem:
        if problem.retryable:
            raise
        if not _is_planned(run, call, ports):
            _settle(message, run.failed(reasons_of(problem)), call, ports)
            return
    _settle(message, run.planned(), call, ports)


def give_schedule_up(message: PlanSchedule, reason: str, call: Call, ports: SchedulePorts) -> None:
    """Note that nobody could make the plan, so that the next time is not kept waiting for it."""
    with ports.begin(call) as work:
        run = work.schedule_runs.find(message.schedule_id, message.due_at)
    if run is None or run.status != "due":
        return
    after = run.failed((Reason(code="given-up", detail=redacted_text(reason)),))  # the log never forgets
    try:
        _settle(message, after, call, ports)
    except CorruptRow:  # once somebody has mended the row, the next time must not wait for a plan that never comes
        with ports.begin(call) as work:
            work.schedule_runs.replace(after)


def _is_planned(run: ScheduleRun, call: Call, ports: SchedulePorts) -> bool:
    with ports.begin(call) as work:
        try:
            work.plans.get(run.intended_plan_id)
        except NotFound:
            return False
        return True


def _settle(message: PlanSchedule, after: ScheduleRun, call: Call, ports: SchedulePorts) -> None:
    """Keep what came of a run, unless somebody did already."""
    with ports.begin(call) as work:
        schedule = work.schedules.lock(message.schedule_id)
        now = work.schedule_runs.find(message.schedule_id, message.due_at)
        if now is None or now.status != "due":
            return
        work.schedule_runs.replace(after)
        work.schedules.came_to(schedule.came_to(after))
        _tell(schedule, after, work)
    log.info("schedule_settled", schedule_id=schedule.id, plan_id=after.plan_id, status=after.status)


def _tell(schedule: Schedule, run: ScheduleRun, work: ScheduleWork) -> None:
    if run.status == "skipped":
        work.record(schedule.id, ScheduleSkipped.of(schedule, run))
    elif run.status == "failed":
        about = {"schedule_id": schedule.id, "name": schedule.name, "due_at": run.due_at}
        work.record(schedule.id, ScheduleFailed(**about, reasons=run.reasons))


def _origin(schedule: Schedule, run: ScheduleRun) -> Origin:
    return Origin(
        plan_id=run.intended_plan_id,
        authors=schedule.everybody,
        meta={
            "schedule": schedule.name,
            "schedule_id": schedule.id,
            "due_at": run.due_at.isoformat(),
            "created_by": schedule.created_by,
            "updated_by": schedule.updated_by,
        },
    )
