"""A plan that waits, asks first, and does one thing for each of several lamps, through the whole HTTP stack."""

from typing import Any

import pytest
from tests.builders.plans import GLANCE, LOOK, NOTE, SWITCH

LAMPS = ["hall", "attic", "cellar"]
STEPS: list[dict[str, Any]] = [
    {**LOOK, "id": "look", "expect": [{"path": "on", "value": False}], "wait": {"check_s": 60, "every_s": 0.5}},
    {"id": "dusk", "stage": "diagnose", "wait": {"until": "2026-01-15T18:00:00+01:00"}, "depends_on": ["look"]},
    {
        **SWITCH,
        "id": "light",
        "input": {"lamp": {"$each": "@"}, "on": True},
        "for_each": {"values": LAMPS, "max_concurrency": 2, "max_failures": 1},
        "when": "steps.look.output.on == `false`",
        "deadline_s": 45,
    },
    {"id": "settle", "stage": "act", "wait": {"for_s": 30}, "depends_on": ["light"]},
    {**NOTE, "id": "final", "stage": "act", "depends_on": ["settle"], "point_of_no_return": True},
    {**GLANCE, "id": "check"},
    {**NOTE, "id": "told", "input_from": {"text": {"step": "look", "path": "kind"}}},
]
PLAN: dict[str, Any] = {
    "summary": "Light all lamps at dusk",
    "context": {"environment": "dev", "namespace": "shop"},
    "constraints": {"max_concurrency": 4, "on_failure": "hold"},
    "steps": STEPS,
}


def test_all_of_it_is_shown_before_anybody_agrees(ask):
    made = ask("POST", "/v1/plans", PLAN)

    assert made.status_code == 201, made.text
    plan = made.json()
    steps = {step["id"]: step for step in plan["steps"]}
    assert list(steps) == ["look", "dusk", "light-1", "light-2", "light-3", "settle", "final", "check", "told"]
    assert plan["targets"] == ["lamps:hall", "lamps:attic", "lamps:cellar"]
    assert plan["groups"] == {"light": {"max_concurrency": 2, "max_failures": 1}}
    assert (plan["point_of_no_return"], plan["irreversible_steps"]) == ("final", [])
    assert (plan["constraints"]["max_concurrency"], plan["constraints"]["on_failure"]) == (4, "hold")
    assert steps["settle"]["depends_on"] == ["light-1", "light-2", "light-3"]
    assert (steps["light-2"]["when"], steps["light-2"]["deadline_s"]) == (STEPS[2]["when"], 45)
    assert (steps["dusk"]["tool"], steps["dusk"]["action"]) == ("wait", "until")
    assert steps["told"]["input_from"] == {"text": {"step": "look", "path": "kind"}}
    assert ask("GET", f"/v1/plans/{plan['plan_id']}", role="viewer").json() == plan


def test_what_nobody_goes_back_on_needs_people_even_where_the_risk_does_not(ask):
    plan = ask("POST", "/v1/plans", PLAN).json()

    assert (plan["risk_level"], plan["status"], plan["approvals_required"]) == ("low", "awaiting_approval", 1)
    assert "it can't be undone" in [reason["reason"] for reason in plan["reasons"]]


def test_what_is_agreed_to_is_the_version_as_it_is_kept(ask):
    plan = ask("POST", "/v1/plans", PLAN).json()

    assert ask.decide(plan).status_code == 201
    assert ask("GET", f"/v1/plans/{plan['plan_id']}").json()["status"] == "approved"


def test_diff_risk_and_timeline_tell_it_too(ask):
    plan_id = ask("POST", "/v1/plans", PLAN).json()["plan_id"]
    longer = [{**step, "wait": {"for_s": 60}} if step["id"] == "settle" else step for step in STEPS]
    assert ask("POST", f"/v1/plans/{plan_id}/versions", {**PLAN, "steps": longer}).status_code == 201

    changes = {each["step_id"]: each for each in ask("GET", f"/v1/plans/{plan_id}/diff?against=1").json()["changes"]}
    assert [name for name, each in changes.items() if each["in_other"] == "changed"] == ["settle"]
    assert (changes["settle"]["wait"]["for_s"], changes["light-1"]["group"]) == (60, "light")
    risk = ask("GET", f"/v1/plans/{plan_id}/risk").json()
    assert (risk["point_of_no_return"], risk["irreversible"]) == ("final", False)
    reasons = {step["step_id"]: step["reasons"] for step in risk["steps"]}
    assert reasons["settle"] == ["it only waits"]
    assert "its text is what look puts out" in reasons["told"]
    told = ask("GET", f"/v1/plans/{plan_id}/timeline").json()["data"]
    assert "point_of_no_return final" in told[0]["said"]


@pytest.mark.parametrize(
    ("number", "change", "expected"),
    [
        (0, {"wait": {"check_s": -1}}, ("/steps/0/wait/check_s", "greater-than")),
        (1, {"wait": {}}, ("/steps/1/wait", "value-error")),
        (1, {"tool": "lamps"}, ("/steps/1/tool", "nothing-but-waits")),
        (2, {"for_each": {"values": ["hall", None]}}, ("/steps/2/for_each/values/1", "no-value")),
        (2, {"for_each": {"values": []}}, ("/steps/2/for_each/values", "too-short")),
        (2, {"when": "steps.check.output.on"}, ("/steps/2/when", "unknown-reference")),
        (2, {"when": "steps."}, ("/steps/2/when", "bad-condition")),
        (2, {"when": ""}, ("/steps/2/when", "string-too-short")),
        (3, {"depends_on": ["light-4"]}, ("/steps/3/depends_on/0", "unknown-dependency")),
        (
            6,
            {"input": {}, "input_from": {"lamp": {"step": "look", "path": "x"}}},
            ("/steps/6/input_from/lamp", "output-as-target"),
        ),
        (
            6,
            {"input_from": {"text": {"step": "light", "path": "x"}}},
            ("/steps/6/input_from/text/step", "group-reference"),
        ),
        (6, {"input_from": {"text": {"step": "look", "path": "["}}}, ("/steps/6/input_from/text/path", "value-error")),
    ],
)
def test_every_fault_is_answered_with_its_place(ask, number, change, expected):
    steps = [{**step, **change} if place == number else step for place, step in enumerate(STEPS)]
    refused = ask("POST", "/v1/plans", {**PLAN, "steps": steps})

    assert refused.status_code == 422
    assert expected in [(error["pointer"], error["code"]) for error in refused.json()["errors"]]
