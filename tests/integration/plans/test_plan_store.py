"""Plans and approvals as Postgres keeps them."""

import pytest
from sqlalchemy import text, update
from sqlalchemy.exc import DBAPIError
from tests.builders.approvals import an_answer, an_approval
from tests.builders.plans import NOON, a_call, a_plan, a_version

from carapulse.adapters.postgres.engine import connect
from carapulse.adapters.postgres.work import PostgresWork
from carapulse.approvals.ports import ApprovalFilter
from carapulse.approvals.store import PostgresApprovals
from carapulse.kernel.call import Scope
from carapulse.kernel.clock import SystemClock
from carapulse.kernel.errors import Conflict, CorruptRow
from carapulse.plans.errors import PlanNotFound, VersionNotFound
from carapulse.plans.model import PlanStatus
from carapulse.plans.ports import PlanFilter
from carapulse.plans.store import PostgresPlans
from carapulse.plans.tables import plan_versions


@pytest.fixture
def engine(database):
    engine = connect(database.app_url)
    yield engine
    engine.dispose()


@pytest.fixture
def owner(database):
    engine = connect(database.owner_url)
    yield engine
    engine.dispose()


def begin(engine, tenant="acme"):
    return PostgresWork(engine, a_call(tenant=tenant), SystemClock())


def plans(work):
    return PostgresPlans(work.connection, work.tenant, Scope())


def approvals(work):
    return PostgresApprovals(work.connection, work.tenant, plans(work).visible)


def kept(engine, tenant="acme", **facts):
    version = a_version(**facts)
    plan = a_plan(version)
    with begin(engine, tenant) as work:
        plans(work).add(plan, version)
    return plan, version


def test_a_plan_and_its_version_come_back_as_they_were(engine):
    plan, version = kept(engine)

    with begin(engine) as work:
        assert plans(work).get(plan.id) == plan
        assert plans(work).version(plan.id, 1) == version
        assert plans(work).version(plan.id, 1).digest == plan.digest


def test_another_tenant_finds_nothing(engine):
    plan, _ = kept(engine)

    with begin(engine, "rival") as work:
        assert plans(work).page(PlanFilter()).data == ()
        with pytest.raises(PlanNotFound):
            plans(work).get(plan.id)
        with pytest.raises(VersionNotFound):
            plans(work).version(plan.id, 1)


@pytest.mark.parametrize(
    "change", [{"summary": "x"}, {"context": {"environment": "prod"}}, {"risk": "read"}, {"steps": []}, {"more": 1}]
)
def test_a_stored_version_that_was_tampered_with_is_refused(engine, owner, change):
    plan, version = kept(engine)
    body = {**version.document(), **change}
    with owner.begin() as connection:
        connection.execute(text("ALTER TABLE plan_versions NO FORCE ROW LEVEL SECURITY"))
        connection.execute(update(plan_versions).values(body=body))

    with begin(engine) as work, pytest.raises(CorruptRow):
        plans(work).version(plan.id, 1)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE plan_versions SET body = '{}'",
        "DELETE FROM plan_versions",
        "DELETE FROM plans",
        "UPDATE approval_answers SET status = 'approved'",
        "DELETE FROM approval_answers",
        "DELETE FROM approvals",
    ],
)
def test_the_app_role_cannot_rewrite_what_was_judged_or_answered(engine, statement):
    with pytest.raises(DBAPIError, match="permission denied"), begin(engine) as work:
        work.connection.execute(text(statement))


@pytest.mark.parametrize(
    "statement",
    ["UPDATE plans SET status = 'fine'", "UPDATE plans SET risk = ''", "UPDATE plans SET decision = 'deny'"],
)
def test_the_database_refuses_words_that_do_not_exist(engine, statement):
    kept(engine)

    with pytest.raises(DBAPIError, match="check constraint"), begin(engine) as work:
        work.connection.execute(text(statement))


def test_a_head_cannot_point_at_a_version_that_is_not_kept(engine):
    plan, _ = kept(engine)

    with pytest.raises(DBAPIError, match="plans_version"), begin(engine) as work:
        plans(work).replace(plan.model_copy(update={"version": 2}))


def test_lists_go_on_where_the_last_page_ended_and_miss_nothing(engine):
    wanted = [kept(engine)[0].id for _ in range(5)]
    kept(engine, "rival")
    seen: list[str] = []
    cursor = None

    while True:
        with begin(engine) as work:
            page = plans(work).page(PlanFilter(limit=2, cursor=cursor))
        seen += [plan.id for plan in page.data]
        cursor = page.next_cursor
        if cursor is None:
            break

    assert seen == sorted(wanted, reverse=True)


def test_lists_can_be_narrowed(engine):
    plan, _ = kept(engine)
    other, _ = kept(engine, trigger="alert")
    with begin(engine) as work:
        plans(work).replace(other.closed())

    with begin(engine) as work:
        assert [each.id for each in plans(work).page(PlanFilter(status=PlanStatus.CLOSED)).data] == [other.id]
        assert [each.id for each in plans(work).page(PlanFilter(trigger="manual")).data] == [plan.id]
        assert plans(work).page(PlanFilter(environment="prod")).data == ()
        assert len(plans(work).page(PlanFilter(environment="dev", risk="low")).data) == 2


def test_an_approval_comes_back_with_its_answers(engine):
    plan, _ = kept(engine)
    approval = an_approval(plan_id=plan.id, digest=plan.digest, required=2)
    with begin(engine) as work:
        approvals(work).add(approval)
    with begin(engine) as work:
        asked = approvals(work).open_for(plan.id)
        approvals(work).replace(asked.decided(an_answer("bob"), digest=plan.digest), since=asked)
    with begin(engine) as work:
        once = approvals(work).get(approval.id)
        answered = once.decided(an_answer("carol"), digest=plan.digest)
        approvals(work).replace(answered, since=once)

    with begin(engine) as work:
        assert approvals(work).latest_for(plan.id) == answered
        assert [answer.approver for answer in answered.answers] == ["bob", "carol"]


def test_a_plan_has_at_most_one_open_approval(engine):
    plan, _ = kept(engine)
    with begin(engine) as work:
        approvals(work).add(an_approval(plan_id=plan.id))

    with pytest.raises(Conflict, match="already"), begin(engine) as work:
        approvals(work).add(an_approval(plan_id=plan.id))


def test_what_ran_out_of_time_is_not_listed_as_pending(engine):
    plan, _ = kept(engine)
    approval = an_approval(plan_id=plan.id)
    with begin(engine) as work:
        approvals(work).add(approval)

    with begin(engine) as work:
        before = approvals(work).page(ApprovalFilter(status="pending"), NOON)
        after = approvals(work).page(ApprovalFilter(status="pending"), approval.expires_at)
        late = approvals(work).page(ApprovalFilter(status="expired"), approval.expires_at)
    assert [len(page.data) for page in (before, after, late)] == [1, 0, 1]
