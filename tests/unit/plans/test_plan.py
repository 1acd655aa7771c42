"""A plan's versions can't be changed unseen, and its head moves only where it may."""

from copy import deepcopy
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.builders.plans import NOON, a_plan, a_step, a_version

from carapulse.kernel.canonical import digest
from carapulse.plans.errors import PlanBusy, PlanChanged, PlanNotApproved, PlanNotOpen
from carapulse.plans.model import (
    Constraints,
    Group,
    MaintenanceWindow,
    OutputRef,
    PlanStatus,
    PlanStep,
    PlanVersion,
    UndoAction,
    Wait,
    WorkflowUse,
)

FULL = a_version(
    plan_id="plan_1",
    intent="make it bright",
    workflow=WorkflowUse(name="w", version=1, digest="sha256:11", input={"a": 1}),
    meta={"source": "src_1"},
    constraints=Constraints(max_concurrency=4, on_failure="hold"),
    steps=(
        a_step("s1", undo=UndoAction(tool="kubectl", action="scale", input={"replicas": 2}), point_of_no_return=True),
        a_step(
            "s2-1",
            a_version().steps[1].stage,
            position=2,
            depends_on=("s1",),
            name="look",
            when="steps.s1.output.ok",
            input_from={"name": OutputRef(step="s1", path="name")},
            wait=Wait(check_s=60, every_s=0.5),
            deadline_s=90,
            group="s2",
        ),
    ),
    groups={"s2": Group(max_concurrency=2, max_failures=1)},
    requested_for="grace",
    authors=("olga", "bob"),
)


def places(value, path=()):
    if isinstance(value, dict | list):
        for key, item in value.items() if isinstance(value, dict) else enumerate(value):
            yield from places(item, (*path, key))
    yield path


PLACES = [path for path in places(FULL.document()) if path]


@given(st.sampled_from(PLACES), st.sampled_from(["x", 77, None, True, [], {"k": 1}, 0.5]))
def test_any_change_of_anything_changes_the_digest(path, value):
    document = deepcopy(FULL.document())
    parent = document
    for key in path[:-1]:
        parent = parent[key]
    changed = parent[path[-1]] != value or type(parent[path[-1]]) is not type(value)
    parent[path[-1]] = value

    assert (digest(document) != FULL.digest) is changed


@given(st.sampled_from([path for path in PLACES if isinstance(path[-1], str)]))
def test_leaving_anything_out_changes_the_digest(path):
    document = deepcopy(FULL.document())
    parent = document
    for key in path[:-1]:
        parent = parent[key]
    del parent[path[-1]]

    assert digest(document) != FULL.digest


def test_every_field_of_a_version_is_in_its_digest():
    document = FULL.document()

    assert set(document) == set(PlanVersion.model_fields)
    assert set(document["constraints"]) == set(Constraints.model_fields)
    assert {name for step in document["steps"] for name in step} == set(PlanStep.model_fields)


def test_a_version_read_back_has_the_same_digest():
    assert PlanVersion.model_validate(FULL.document()).digest == FULL.digest


def test_a_plan_waits_when_policy_wants_approval_and_is_approved_when_it_does_not():
    assert a_plan(approvals=2).status is PlanStatus.AWAITING_APPROVAL
    assert a_plan(approvals=0).status is PlanStatus.APPROVED


def test_a_plan_is_executed_once():
    plan = a_plan(approvals=0)
    running = plan.executing("execution_1", plan.digest)

    with pytest.raises(PlanBusy):
        running.executing("execution_2", plan.digest)
    with pytest.raises(PlanNotApproved):
        running.done().executing("execution_2", plan.digest)


@pytest.mark.parametrize("status", ["awaiting_approval", "rejected", "expired", "done", "closed"])
def test_only_an_approved_plan_is_executed(status):
    plan = a_plan().model_copy(update={"status": PlanStatus(status)})

    with pytest.raises(PlanNotApproved):
        plan.executing("execution_1", plan.digest)


@pytest.mark.parametrize("move", ["approved", "rejected"])
def test_an_answer_about_another_digest_moves_nothing(move):
    with pytest.raises(PlanChanged):
        getattr(a_plan(), move)("sha256:bb")


def test_an_execution_of_another_digest_does_not_begin():
    with pytest.raises(PlanChanged):
        a_plan(approvals=0).executing("execution_1", "sha256:bb")


@pytest.mark.parametrize("status", ["rejected", "expired", "executing", "done", "closed"])
def test_what_is_over_is_not_approved_any_more(status):
    plan = a_plan().model_copy(update={"status": PlanStatus(status)})

    with pytest.raises(PlanNotOpen):
        plan.approved(plan.digest)


def test_a_plan_that_runs_cannot_be_closed_nor_expire_nor_be_rejected():
    plan = a_plan(approvals=0)
    running = plan.executing("execution_1", plan.digest)

    with pytest.raises(PlanBusy):
        running.closed()
    with pytest.raises(PlanNotOpen):
        running.expired()
    with pytest.raises(PlanNotOpen):
        running.rejected(plan.digest)


@pytest.mark.parametrize(
    ("zone", "minute"), [("UTC", 12 * 60), ("Europe/Berlin", 13 * 60), ("Asia/Kolkata", 17 * 60 + 30)]
)
def test_a_window_counts_minutes_in_its_own_zone(zone, minute):
    window = MaintenanceWindow(start="22:30", end="04:00", timezone=zone)

    assert window.minute_at(NOON) == minute
    assert (window.start_minute, window.end_minute) == (22 * 60 + 30, 240)


def test_a_window_follows_summer_time():
    window = MaintenanceWindow(start="02:00", end="04:00", timezone="Europe/Berlin")

    assert window.minute_at(NOON + timedelta(days=182)) == 14 * 60
