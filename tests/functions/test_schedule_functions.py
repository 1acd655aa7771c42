"""scheduler and planning: from the minute's tick to the plan that a schedule asks for, through both kinds of cloud."""

from datetime import UTC, datetime, timedelta

from tests.functions.clouds import on_google, on_lambda, recorded

from carapulse.schedules.model import ScheduleTerms
from carapulse.schedules.usecases import create_schedule

TERMS = {
    "name": "hourly",
    "cron": "0 * * * *",
    "workflow": {
        "name": "scale_service",
        "context": {"environment": "prod", "namespace": "shop"},
        "input": {"resource": "deployment/checkout", "replicas": 3},
    },
}


def a_due_schedule(installation):
    """Make a schedule, some hours ago, so that it is due now."""
    at = datetime.now(UTC) - timedelta(hours=3)
    call = installation.call("olga", "operator", at=at)
    return create_schedule(ScheduleTerms.model_validate(TERMS), call, installation.app).id


def came_of_it(installation):
    runs = installation.rows("SELECT status FROM schedule_runs")
    plans = installation.rows("SELECT requested_by, status FROM plans")
    return [each.status for each in runs], [tuple(each) for each in plans]


ONE_PLAN = (["planned"], [("schedule:hourly", "awaiting_approval")])


def test_a_schedule_comes_due_once_and_becomes_one_plan_on_lambda(installation):
    schedule_id = a_due_schedule(installation)

    with on_lambda("scheduler", installation.environment) as function:
        ticks = [function(recorded("aws/schedule"))[0] for _ in range(2)]
    (wanted,) = installation.envelopes("planning")
    with on_lambda("planning", installation.environment) as function:
        back = [function.messages(wanted), function.messages(wanted)]

    assert (ticks, back) == (["response", "response"], [[], []])
    assert came_of_it(installation) == ONE_PLAN
    assert installation.happened(schedule_id) == ["ScheduleCreated", "ScheduleFired"]


def test_a_schedule_comes_due_once_and_becomes_one_plan_at_google(at_google):
    schedule_id = a_due_schedule(at_google)

    with on_google("scheduler", at_google.environment) as function:
        ticks = [function.push(b"").status_code for _ in range(2)]
    (wanted,) = at_google.envelopes("planning")
    with on_google("planning", at_google.environment) as function:
        answers = [function.message(wanted), function.message(wanted)]

    assert (ticks, answers) == ([204, 204], [204, 204])
    assert came_of_it(at_google) == ONE_PLAN
    assert at_google.happened(schedule_id) == ["ScheduleCreated", "ScheduleFired"]
