"""Schedules come due: the clock stands where a test puts it, the database is real, and clocks may tick at once."""

import threading
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from pg8000.exceptions import DatabaseError
from sqlalchemy import text
from tests.builders.shipped import the_shipped
from tests.conftest import a_folder
from tests.world.rig import a_call

from carapulse.approvals.delegating import DelegateApproval, delegate_approval
from carapulse.approvals.errors import SelfApproval
from carapulse.approvals.usecases import DecideApproval, decide_approval
from carapulse.bootstrap import make_app
from carapulse.executions.usecases import ExecutePlan, execute_plan
from carapulse.kernel.patch import MergePatch
from carapulse.plans.ending import cancel_plan
from carapulse.plans.requests import CancelPlan, ClosePlan, CreatePlan
from carapulse.plans.usecases import close_plan, get_plan, revise_plan
from carapulse.runtime.areas import handlers
from carapulse.runtime.minute import do_minute
from carapulse.runtime.workers import Workers
from carapulse.schedules.firing import fire_due_schedules
from carapulse.schedules.messages import PlanSchedule
from carapulse.schedules.model import ScheduleTerms, schedule_actor
from carapulse.schedules.planning import give_schedule_up, plan_schedule
from carapulse.schedules.ports import RunFilter
from carapulse.schedules.usecases import change_schedule, create_schedule, delete_schedule, get_schedule, list_runs
from carapulse.settings import Settings

START: dict[str, Any] = {
    "name": "scale_service",
    "context": {"environment": "prod", "namespace": "shop"},
    "input": {"resource": "deployment/checkout", "replicas": 3},
}
NOON = datetime(2026, 11, 27, 12, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
EVERY_HOUR = "0 * * * *"


class StandingClock:
    """A clock that a test moves."""

    def __init__(self):
        self.at = NOON - timedelta(minutes=30)

    def now(self):
        return self.at


class Installation:
    """An application whose minutes and whose queue are in the test's hand."""

    def __init__(self, database, folder):
        self.database = database
        self.clock = StandingClock()
        self.app = make_app(Settings(data_dir=folder), database.app_url, self.clock, the_shipped())
        self.planners = Workers(self.app.queue, handlers("queue").only({"planning"}), self.app, self.clock, 1, 20, 3)

    def call(self, who="olga", *roles, tenant="acme"):
        return a_call(who, *roles, tenant=tenant).model_copy(update={"at": self.clock.at})

    def schedule(self, name="hourly", by="olga", tenant="acme", **changed):
        terms = ScheduleTerms.model_validate({"name": name, "cron": EVERY_HOUR, "workflow": START, **changed})
        return create_schedule(terms, self.call(by, tenant=tenant), self.app).id

    def change(self, schedule_id, by="olga", **changed):
        return change_schedule(schedule_id, MergePatch.model_validate(changed), self.call(by), self.app)

    def fire(self, at):
        """Let the clock look at a moment, and return how many schedules it found."""
        self.clock.at = at
        return fire_due_schedules(self.call("scheduler"), self.app)

    def minute(self, at):
        """Let the clock look at a moment, and do what it asks for."""
        self.fire(at)
        self.planners.run_until_idle()

    def shown(self, schedule_id, tenant="acme"):
        return get_schedule(schedule_id, self.call(tenant=tenant), self.app)

    def runs(self, schedule_id):
        return list_runs(schedule_id, RunFilter(), self.call(), self.app).data

    def statuses(self, schedule_id):
        """Return what came of its runs, from the first to the last."""
        return [each.status for each in self.runs(schedule_id)][::-1]

    def plan(self, schedule_id):
        return get_plan(self.shown(schedule_id).last_plan_id, self.call(), self.app)

    def rows(self, query, tenant="acme", **parameters):
        with self.app.begin(self.call(tenant=tenant)) as work:
            return work.connection.execute(text(query), parameters).all()

    def plans(self, tenant="acme"):
        return self.rows("SELECT id FROM plans", tenant)

    def messages(self):
        return self.rows("SELECT body FROM messages WHERE type = 'PlanSchedule'")

    def happened(self, schedule_id):
        found = self.rows("SELECT type, body FROM events WHERE stream = :s ORDER BY seq", s=schedule_id)
        return [(each.type, each.body) for each in found]

    def types(self, schedule_id):
        return [kind for kind, _ in self.happened(schedule_id)]

    def tamper(self, statement, **given):
        with self.database.as_superuser() as connection:
            connection.run(statement, **given)

    def approve(self, plan, by, *roles):
        command = DecideApproval(plan_id=plan.plan_id, status="approved", digest=plan.digest)
        return decide_approval(command, self.call(by, *(roles or ("approver",))), self.app)


@pytest.fixture
def site(database_in_turn):
    with a_folder() as folder:
        built = Installation(database_in_turn, folder)
        yield built
        built.app.close()


def test_a_schedule_that_comes_due_becomes_a_plan_that_waits_for_people(site):
    schedule_id = site.schedule()

    site.minute(NOON - timedelta(seconds=1))
    assert site.runs(schedule_id) == ()
    site.minute(NOON + timedelta(seconds=20))

    shown, plan = site.shown(schedule_id), site.plan(schedule_id)
    assert (plan.status, plan.trigger, plan.requested_by) == ("awaiting_approval", "scheduled", "schedule:hourly")
    assert (shown.last_status, shown.last_reasons) == ("planned", ())
    assert (shown.last_due_at, shown.last_run_at) == (NOON, NOON + timedelta(seconds=20))
    assert [(each.due_at, each.status, each.plan_id) for each in site.runs(schedule_id)] == [
        (NOON, "planned", plan.plan_id)
    ]
    assert site.types(schedule_id) == ["ScheduleCreated", "ScheduleFired"]
    assert plan.meta["created_by"] == plan.meta["updated_by"] == "olga"
    assert site.rows("SELECT id FROM executions") == []


def test_the_minute_of_the_program_lets_schedules_come_due(site):
    schedule_id = site.schedule()
    site.clock.at = NOON

    do_minute(site.app)

    assert site.statuses(schedule_id) == ["due"]
    assert len(site.messages()) == 1


def test_what_is_wrong_with_one_duty_of_the_minute_keeps_no_schedule_from_coming_due(site):
    schedule_id = site.schedule()
    site.clock.at = NOON
    site.tamper("ALTER FUNCTION tenants_to_tell RENAME TO lost")

    with pytest.raises(DatabaseError, match="tenants_to_tell"):
        do_minute(site.app)
    site.tamper("ALTER FUNCTION lost RENAME TO tenants_to_tell")

    assert site.statuses(schedule_id) == ["due"]


def test_clocks_that_tick_at_once_ask_once(site):
    schedules = [site.schedule(f"hourly-{number}") for number in range(5)]
    site.clock.at = NOON
    ready = threading.Barrier(4)

    def tick():
        ready.wait(10)
        fire_due_schedules(site.call("scheduler"), site.app)

    clocks = [threading.Thread(target=tick) for _ in range(4)]
    for each in clocks:
        each.start()
    for each in clocks:
        each.join(60)

    site.fire(NOON + timedelta(seconds=30))
    assert [site.statuses(each) for each in schedules] == [["due"]] * 5
    assert len(site.messages()) == 5


def test_the_same_moment_is_asked_for_once_even_if_a_change_names_it_again(site):
    schedule_id = site.schedule()
    site.minute(NOON)
    close_plan(site.plan(schedule_id).plan_id, ClosePlan(reason="no"), site.call(), site.app)
    site.tamper("UPDATE schedules SET next_at = :at", at=NOON)

    site.fire(NOON + timedelta(minutes=1))

    assert site.statuses(schedule_id) == ["planned"]
    assert site.types(schedule_id) == ["ScheduleCreated", "ScheduleFired"]
    assert site.messages() == []
    assert site.rows("SELECT next_at FROM schedules") == [(NOON + HOUR,)]


def test_a_message_that_comes_again_makes_no_second_plan(site):
    schedule_id = site.schedule()
    site.fire(NOON)
    message = PlanSchedule(schedule_id=schedule_id, due_at=NOON)
    call = site.call().model_copy(update={"actor": schedule_actor("hourly")})

    together = [threading.Thread(target=plan_schedule, args=(message, call, site.app)) for _ in range(2)]
    for each in together:
        each.start()
    for each in together:
        each.join(60)
    plan_schedule(message, call, site.app)
    site.planners.run_until_idle()

    assert len(site.plans()) == 1
    assert site.statuses(schedule_id) == ["planned"]


def test_a_planner_that_died_after_the_plan_was_made_is_caught_up_with(site):
    schedule_id = site.schedule()
    site.minute(NOON)
    site.tamper("UPDATE schedule_runs SET status = 'due'")
    site.tamper("UPDATE schedules SET standing = '{}'")

    call = site.call().model_copy(update={"actor": schedule_actor("hourly")})
    plan_schedule(PlanSchedule(schedule_id=schedule_id, due_at=NOON), call, site.app)

    assert len(site.plans()) == 1
    assert (site.statuses(schedule_id), site.plan(schedule_id).trigger) == (["planned"], "scheduled")


def test_nothing_new_comes_of_it_while_its_last_plan_is_open(site):
    schedule_id = site.schedule()
    site.minute(NOON)
    first = site.plan(schedule_id)
    site.minute(NOON + HOUR)
    site.approve(first, "grace")
    site.minute(NOON + 2 * HOUR)
    execute_plan(first.plan_id, ExecutePlan(), site.call("ada"), site.app)
    site.minute(NOON + 3 * HOUR)

    assert site.statuses(schedule_id) == ["planned", "skipped", "skipped", "skipped"]
    kind, body = site.happened(schedule_id)[-1]
    assert (kind, body["reasons"][0]["detail"]) == ("ScheduleSkipped", "the last one is open")
    assert site.shown(schedule_id).last_plan_id == first.plan_id
    assert site.shown(schedule_id).last_reasons[0].code == "open"

    site.tamper("UPDATE plans SET status = 'done'")
    site.minute(NOON + 4 * HOUR)
    assert site.plan(schedule_id).plan_id != first.plan_id


@pytest.mark.parametrize("end", [close_plan, cancel_plan])
def test_a_plan_that_was_taken_back_is_not_open(site, end):
    schedule_id = site.schedule()
    site.minute(NOON)
    reason = ClosePlan(reason="no") if end is close_plan else CancelPlan(reason="no")
    end(site.plan(schedule_id).plan_id, reason, site.call(), site.app)

    site.minute(NOON + HOUR)

    assert site.statuses(schedule_id) == ["planned", "planned"]


def test_a_plan_that_is_still_to_be_made_is_open_and_one_that_was_given_up_is_not(site):
    schedule_id = site.schedule()
    site.fire(NOON)
    site.fire(NOON + HOUR)
    message = PlanSchedule(schedule_id=schedule_id, due_at=NOON)
    give_schedule_up(message, "nobody could", site.call(), site.app)
    site.fire(NOON + 2 * HOUR)

    assert site.statuses(schedule_id) == ["failed", "skipped", "due"]
    assert site.types(schedule_id)[-3:] == ["ScheduleSkipped", "ScheduleFailed", "ScheduleFired"]


def test_why_a_plan_was_given_up_is_kept_without_what_looks_like_a_secret(site):
    schedule_id = site.schedule()
    site.fire(NOON)
    message = PlanSchedule(schedule_id=schedule_id, due_at=NOON)

    give_schedule_up(
        message, "RuntimeError: password=hunter2hunter2", site.call("schedule:hourly", "operator"), site.app
    )

    kind, body = site.happened(schedule_id)[-1]
    assert (kind, body["reasons"][0]["code"]) == ("ScheduleFailed", "given-up")
    assert "hunter2" not in str(body) + str(site.runs(schedule_id)) + str(site.shown(schedule_id).last_reasons)


def test_one_that_could_not_be_read_while_its_plan_was_to_be_made_comes_due_again_once_it_is_mended(site):
    schedule_id = site.schedule()
    site.fire(NOON)
    site.tamper('UPDATE schedules SET body = body || \'{"cron": "often"}\'')
    for minutes in range(1, 10):
        site.clock.at = NOON + timedelta(minutes=minutes)
        site.tamper("UPDATE messages SET available_at = now()")
        site.planners.run_until_idle()
    site.tamper(f'UPDATE schedules SET body = body || \'{{"cron": "{EVERY_HOUR}"}}\'')

    site.minute(NOON + HOUR)

    assert site.statuses(schedule_id) == ["failed", "planned"]


def test_times_that_were_missed_are_one_and_what_is_too_old_is_skipped(site):
    recent, old = site.schedule("recent"), site.schedule("old", catch_up_s=3600)

    site.minute(NOON + timedelta(hours=5, minutes=10))

    assert [(each.due_at, each.status) for each in site.runs(recent)] == [(NOON, "planned")]
    assert [(each.status, each.reasons[0].code) for each in site.runs(old)] == [("skipped", "missed")]
    assert site.types(old)[-1] == "ScheduleSkipped"
    assert {next_at for (next_at,) in site.rows("SELECT next_at FROM schedules")} == {NOON + timedelta(hours=6)}


def test_what_is_switched_off_never_comes_due_and_switched_on_again_only_from_then_on(site):
    schedule_id = site.schedule(enabled=False)
    assert site.fire(NOON) == 0
    site.change(schedule_id, enabled=True)
    assert site.fire(NOON + timedelta(minutes=59)) == 0
    site.change(schedule_id, enabled=False)
    assert site.fire(NOON + 2 * HOUR) == 0

    assert site.runs(schedule_id) == ()


def test_what_is_switched_off_before_its_plan_is_made_makes_none(site):
    schedule_id = site.schedule()
    site.fire(NOON)
    site.change(schedule_id, enabled=False)
    site.planners.run_until_idle()

    assert (site.statuses(schedule_id), site.plans()) == (["skipped"], [])
    assert site.runs(schedule_id)[0].reasons[0].code == "switched-off"


def test_what_is_deleted_before_its_plan_is_made_makes_none(site):
    schedule_id = site.schedule()
    site.fire(NOON)
    delete_schedule(schedule_id, site.call(), site.app)
    site.planners.run_until_idle()

    assert (site.plans(), site.rows("SELECT 1 FROM schedule_runs")) == ([], [])
    assert site.messages() == []


def test_a_change_of_other_things_loses_no_moment_that_has_come_and_one_of_the_time_does(site):
    renamed, moved = site.schedule("renamed"), site.schedule("moved")
    site.clock.at = NOON + timedelta(seconds=5)
    site.change(renamed, name="another")
    site.change(moved, cron="30 * * * *")

    site.minute(NOON + timedelta(seconds=30))

    assert site.statuses(renamed) == ["planned"]
    assert site.plan(renamed).requested_by == "schedule:another"
    assert site.runs(moved) == ()


def test_a_schedule_of_a_program_of_before_is_only_noted_the_first_time(site):
    schedule_id = site.schedule()
    site.tamper("UPDATE schedules SET next_at = NULL, body = body || '{\"last_run_at\": null}'")

    site.minute(NOON + timedelta(minutes=5))
    assert site.runs(schedule_id) == ()
    site.minute(NOON + HOUR)

    assert site.statuses(schedule_id) == ["planned"]


def test_one_bad_schedule_stops_no_other(site):
    names = ("unreadable", "unfit", "denied", "good")
    unreadable, unfit, denied, good = (site.schedule(name) for name in names)
    gone = '{"workflow": {"name": "gone", "context": {"environment": "staging"}, "input": {}}}'
    site.tamper("UPDATE schedules SET body = body || '{\"cron\": \"often\"}' WHERE name = 'unreadable'")
    site.tamper(f"UPDATE schedules SET body = body || '{gone}' WHERE name = 'unfit'")
    site.tamper(
        "UPDATE schedules SET body = jsonb_set(body, '{workflow,constraints}', '{\"allowed_environments\": [\"dev\"]}')"
        " WHERE name = 'denied'"
    )

    site.minute(NOON)
    site.minute(NOON + timedelta(minutes=1))

    assert site.statuses(good) == ["planned"]
    assert [(each.status, each.reasons[0].code) for each in site.runs(unfit)] == [("failed", "workflow-not-found")]
    assert site.runs(denied)[0].status == "failed"
    assert "allowed_environments" in {each.code for each in site.runs(denied)[0].reasons}
    assert site.shown(unfit).last_status == "failed"
    assert site.shown(unfit).last_plan_id is None
    said = [site.happened(each)[-1] for each in (unreadable, unfit, denied)]
    assert [kind for kind, _ in said] == ["ScheduleFailed"] * 3
    assert (said[0][1]["reasons"][0]["code"], said[0][1]["due_at"]) == ("corrupt-row", None)
    assert site.types(unreadable).count("ScheduleFailed") == 1
    site.minute(NOON + HOUR)
    assert len(site.runs(unfit)) == 2


def test_one_that_was_put_off_comes_due_again_at_the_moments_that_it_names(site):
    schedule_id = site.schedule()
    site.tamper('UPDATE schedules SET body = body || \'{"cron": "often"}\'')
    site.minute(NOON + timedelta(seconds=20))
    site.tamper(f'UPDATE schedules SET body = body || \'{{"cron": "{EVERY_HOUR}"}}\'')

    site.minute(NOON + timedelta(days=1, seconds=30))
    put_off = site.runs(schedule_id)
    site.minute(NOON + timedelta(days=1) + HOUR)

    assert put_off == ()
    assert [(each.due_at, each.status) for each in site.runs(schedule_id)] == [
        (NOON + timedelta(days=1) + HOUR, "planned")
    ]


def test_schedules_of_every_tenant_come_due_within_their_own_walls(site):
    ours, theirs = site.schedule(), site.schedule(tenant="globex", by="mallory")

    site.minute(NOON)

    assert len(site.plans()) == len(site.plans("globex")) == 1
    assert site.shown(theirs, "globex").last_plan_id != site.shown(ours).last_plan_id
    assert site.rows("SELECT tenant FROM schedule_runs") == [("acme",)]


def test_a_tenant_with_many_schedules_keeps_no_other_tenant_s_waiting(site):
    for number in range(3):
        site.schedule(f"hourly-{number}")
    theirs = site.schedule(tenant="globex", by="mallory", cron="5 * * * *")

    first = site.app.schedule_book.due(NOON + HOUR, 2)

    assert [each.tenant for each in first] == ["acme", "globex"]
    assert first[1].id == theirs


BERLIN = ZoneInfo("Europe/Berlin")


@pytest.mark.parametrize(
    ("since", "moments"),
    [
        # The clocks skip from 02:00 to 03:00, which is 01:00 UTC, and show 02:30 twice, first at 00:30 UTC.
        (datetime(2026, 3, 28, 12, tzinfo=BERLIN), ["2026-03-29T01:00", "2026-03-30T00:30"]),
        (datetime(2026, 10, 24, 12, tzinfo=BERLIN), ["2026-10-25T00:30", "2026-10-26T01:30"]),
    ],
    ids=["spring", "autumn"],
)
def test_on_nights_when_clocks_change_it_comes_due_once(site, since, moments):
    site.clock.at = since
    schedule_id = site.schedule(cron="30 2 * * *", timezone="Europe/Berlin")

    for minutes in range(0, 60 * 40, 10):
        site.fire(since + timedelta(minutes=minutes))

    due = [each.due_at.astimezone(UTC).isoformat()[:16] for each in site.runs(schedule_id)]
    assert due[::-1] == moments


def test_nobody_who_wrote_it_approves_its_plan_and_another_does(site):
    schedule_id = site.schedule(by="olga")
    site.change(schedule_id, by="bob", workflow={"input": {"replicas": 5}})
    site.change(schedule_id, by="carl", name="renamed")
    site.minute(NOON)
    plan, approval_id = site.plan(schedule_id), site.rows("SELECT id FROM approvals")[0].id

    for author in ("olga", "bob", "carl"):
        with pytest.raises(SelfApproval):
            site.approve(plan, author, "sre")
        with pytest.raises(SelfApproval):
            delegate_approval(approval_id, DelegateApproval(to="eve"), site.call(author, "sre"), site.app)

    assert site.approve(plan, "grace").status == "approved"
    assert site.shown(schedule_id).authors == ("bob", "carl", "olga")


def test_who_wrote_it_answers_neither_by_a_key_nor_by_another_s_revision(site):
    keyed = site.call("key:key_1")
    keyed = keyed.model_copy(update={"actor": keyed.actor.model_copy(update={"kind": "service", "owner": "olga"})})
    terms = ScheduleTerms.model_validate({"name": "keyed", "cron": EVERY_HOUR, "workflow": START})
    schedule_id = create_schedule(terms, keyed, site.app).id
    site.minute(NOON)
    plan = site.plan(schedule_id)
    with pytest.raises(SelfApproval):
        site.approve(plan, "olga", "sre")

    wanted = CreatePlan.model_validate(
        {
            "summary": "as before",
            "context": START["context"],
            "workflow": {"name": START["name"], "input": START["input"]},
        }
    )
    revised = revise_plan(plan.plan_id, wanted, site.call("ada"), site.app)

    with pytest.raises(SelfApproval):
        site.approve(revised, "olga", "sre")
    assert site.approve(revised, "grace").status == "approved"


def test_what_comes_of_it_changes_neither_its_etag_nor_its_terms(site):
    schedule_id = site.schedule()
    before = site.shown(schedule_id).kept
    site.minute(NOON)

    assert site.shown(schedule_id).kept == before


def test_only_the_latest_runs_are_kept_in_pages(site):
    schedule_id = site.schedule(cron="* * * * *")
    for minute in range(105):
        site.fire(NOON + timedelta(minutes=minute))

    page = list_runs(schedule_id, RunFilter(limit=60), site.call(), site.app)
    rest = list_runs(schedule_id, RunFilter(limit=200, cursor=page.next_cursor), site.call(), site.app)

    kept = [each.due_at for each in (*page.data, *rest.data)]
    assert (len(kept), kept[0]) == (101, NOON + timedelta(minutes=104))  # the first is still to be planned
    assert kept == sorted(kept, reverse=True)
    assert rest.next_cursor is None
