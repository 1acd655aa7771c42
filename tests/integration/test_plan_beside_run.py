"""A plan beside one run of it, over HTTP; and lists of runs."""

from datetime import UTC, datetime, timedelta

import pytest
from tests.builders.caller import Caller
from tests.world.rig import act, check


@pytest.fixture
def ask(rig):
    return Caller(rig.app)


def diff(ask, execution_id):
    shown = ask("GET", f"/v1/executions/{execution_id}/diff", role="viewer")
    assert shown.status_code == 200, shown.text
    return shown.json(), {each["step_id"]: each for each in shown.json()["steps"]}


def test_what_went_as_planned_says_so_with_what_was_seen_and_which_input_was_taken(rig, ask):
    look = {**check("hall", on=False), "stage": "diagnose", "id": "look"}
    taken = {**act("switch", "hall", id="light"), "input": {"lamp": "hall"}}
    taken["input_from"] = {"lit": {"step": "look", "path": "!lit"}}
    skipped = act("noop", "porch", id="never", when="steps.look.output.lit")
    run = rig.run(look, taken, skipped, {**check("hall"), "id": "see"})

    whole, steps = diff(ask, run.id)

    assert (whole["status"], whole["as_planned"], whole["outcomes"]) == ("succeeded", True, {"done": 3, "skipped": 1})
    assert (steps["light"]["planned_input"], steps["light"]["input"]) == (
        {"lamp": "hall"},
        {"lamp": "hall", "lit": True},
    )
    assert (steps["never"]["outcome"], steps["never"]["input"]) == ("skipped", None)
    (seen,) = steps["see"]["seen"]
    assert (seen["expected"]["value"], seen["found"], seen["holds"]) == (True, True, True)


def test_what_failed_was_undone_and_never_reached_is_told_apart(rig, ask):
    run = rig.run(
        act("switch", "hall", id="first"),
        {**check("hall", on=False), "id": "wrong"},
        {**check("porch"), "id": "later", "depends_on": ["wrong"]},
    )

    whole, steps = diff(ask, run.id)

    assert (whole["as_planned"], whole["undone"], whole["left"]) == (False, ["first"], [])
    assert [steps[name]["outcome"] for name in ("first", "wrong", "later")] == ["done", "failed", "not_reached"]
    assert (steps["wrong"]["seen"], steps["wrong"]["error"]["code"]) == (None, "expectation-unmet")
    assert (steps["first"]["undo"]["status"], steps["first"]["left"]) == ("succeeded", False)


def test_another_tenant_finds_no_run(ask):
    assert ask("GET", "/v1/executions/exec_0/diff").json()["code"] == "execution-not-found"


def test_a_plan_that_is_executed_is_not_taken_back_but_names_its_run(rig, ask):
    plan = rig.plan(act("switch", "hall"), check("hall"))
    execution_id = rig.start(plan)

    refused = ask("POST", f"/v1/plans/{plan.plan_id}:cancel", {"reason": "stop"})

    assert (refused.status_code, refused.json()["code"]) == (409, "plan-busy")
    assert refused.json()["execution_id"] == execution_id
    assert ask("POST", f"/v1/executions/{execution_id}:cancel").status_code == 202
    rig.finish(execution_id)
    assert ask("POST", f"/v1/plans/{plan.plan_id}:archive").status_code == 200


def test_runs_are_found_by_their_plan_their_status_and_when_they_started(rig, ask):
    run = rig.run(act("switch", "hall"), check("hall"))
    hour = timedelta(hours=1)
    soon, before = (
        each.isoformat().replace("+", "%2B") for each in (datetime.now(UTC) + hour, datetime.now(UTC) - hour)
    )

    def found(query):
        return [each["execution_id"] for each in ask("GET", f"/v1/executions?{query}").json()["data"]]

    for query in (f"plan_id={run.plan_id}", "status=succeeded", f"since={before}", f"until={soon}"):
        assert found(query) == [run.id]
    for query in ("plan_id=plan_0", "status=failed", f"since={soon}", f"until={before}"):
        assert found(query) == []
