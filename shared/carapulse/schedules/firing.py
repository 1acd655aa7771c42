"""The clock's look at schedules: what is due is noted and asked for, each schedule in a write of its own."""

from datetime import datetime, timedelta
from typing import Final

from carapulse.kernel.call import Call
from carapulse.kernel.errors import Problem
from carapulse.observe import get_logger
from carapulse.plans.reasons import reasons_of
from carapulse.schedules.events import ScheduleFailed, ScheduleFired, ScheduleSkipped
from carapulse.schedules.messages import PlanSchedule
from carapulse.schedules.model import Schedule, schedule_actor
from carapulse.schedules.ports import DueSchedule, FiringPorts, ScheduleWork
from carapulse.schedules.runs import MISSED, OPEN, ScheduleRun
from carapulse.tracing import Trace

log = get_logger(__name__)
_MOST_AT_ONCE: Final = 500
_UNREADABLE: Final = timedelta(days=1)  # an operator has to look at the row; once a day it is said again


def fire_due_schedules(call: Call, ports: FiringPorts) -> int:
    """Have a plan made for every schedule whose moment has come, whoever's it is; return how many there were.

    Two clocks at once ask once. What is wrong with one schedule keeps no other from coming due.
    """
    due = ports.schedule_book.due(call.at, _MOST_AT_ONCE)
    for each in due:
        own = Call(actor=schedule_actor(each.name), tenant=each.tenant, at=call.at, trace=Trace.begin().id)
        try:
            _fire(each.id, own, ports)
        except Problem as problem:
            if problem.retryable:
                raise
            _put_off(each, problem, own, ports)
    return len(due)


def _fire(schedule_id: str, call: Call, ports: FiringPorts) -> None:
    with ports.begin(call) as work:
        found = work.schedules.due(schedule_id, call.at)
        if found is None:
            return
        schedule, due_at = found
        work.schedules.reschedule(schedule_id, schedule.next_after(call.at))
        if due_at is not None and schedule.comes_due_at(due_at):
            _run(schedule, due_at, call.at, work)


def _run(schedule: Schedule, due_at: datetime, at: datetime, work: ScheduleWork) -> None:
    run = ScheduleRun.of(schedule.id, due_at, at)
    if at - due_at > timedelta(seconds=schedule.catch_up_s):
        run = run.skipped(MISSED)
    elif _is_open(schedule, work):
        run = run.skipped(OPEN)
    if not work.schedule_runs.add(run):
        return
    work.schedules.came_to(schedule.came_to(run))
    if run.status == "skipped":
        work.record(schedule.id, ScheduleSkipped.of(schedule, run), at)
    else:
        work.record(schedule.id, ScheduleFired.of(schedule, run), at)
        work.send(PlanSchedule(schedule_id=schedule.id, due_at=due_at))
    log.info("schedule_due", schedule_id=schedule.id, status=run.status)


def _is_open(schedule: Schedule, work: ScheduleWork) -> bool:
    if work.schedule_runs.is_pending(schedule.id):
        return True
    return schedule.last_plan_id is not None and work.plans.get(schedule.last_plan_id).is_open


def _put_off(due: DueSchedule, problem: Problem, call: Call, ports: FiringPorts) -> None:
    reasons = reasons_of(problem)
    said = [each.model_dump(mode="json") for each in reasons]
    with ports.begin(call) as work:
        standing = {"last_run_at": call.at.isoformat(), "last_status": "failed", "last_reasons": said}
        if work.schedules.put_off(due.id, call.at, call.at + _UNREADABLE, standing):
            failed = ScheduleFailed(schedule_id=due.id, name=due.name, due_at=None, reasons=reasons)
            work.record(due.id, failed, call.at)
    log.error("schedule_put_off", schedule_id=due.id, code=problem.code)
