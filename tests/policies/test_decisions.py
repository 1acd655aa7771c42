"""What the shipped rules decide. The table is section 4.3 of the original's, corrected."""

from typing import Any

import pytest
from tests.builders.policy import (
    ACT,
    APPROVE,
    CANCEL,
    CREATE,
    EXECUTE,
    HOUR,
    READ,
    SUNDAY_AT_TEN,
    UNDO,
    TunedEngine,
    a_question,
    decided,
)

from carapulse.policy.usecases import judge

SECOND = 1_000_000_000
NOW_UNIX = SUNDAY_AT_TEN // SECOND
FROZEN: dict[str, Any] = {
    "environment": "dev",
    "from_unix": NOW_UNIX - 60,
    "until_unix": NOW_UNIX + 60,
    "reason": "sale",
}
GLASS: dict[str, Any] = {"reason": "checkout is down", "by": "ada", "until_ns": SUNDAY_AT_TEN + HOUR}
CLOSED: dict[str, Any] = {"maintenance_window": {"start_minute": 0, "end_minute": 60, "now_minute": 600}}
WAITS = [
    {"tool": "wait", "action": action, "effect": "read", "risk": "read", "stage": stage}
    for stage in ("diagnose", "act", "verify", "report")
    for action in ("for", "until")
]

TABLE: list[tuple[str, dict[str, Any], str, int]] = [
    ("a low write in dev", {}, "allow", 0),
    ("a plan that waits in every stage", {"plan": {"steps": WAITS}}, "allow", 0),
    ("the same in prod", {"plan": {"steps": WAITS}, "environment": "prod"}, "require_approval", 1),
    ("nothing but waits in prod", {"plan": {"risk": "read", "steps": WAITS}, "environment": "prod"}, "allow", 0),
    (
        "a wait after which nobody goes back",
        {"plan": {"risk": "read", "steps": WAITS, "irreversible": True}},
        "require_approval",
        1,
    ),
    ("an unknown environment", {"environment": "nope"}, "deny", 0),
    ("a blank environment", {"environment": ""}, "deny", 0),
    ("an environment in other letters", {"environment": "PROD"}, "deny", 0),
    ("a low write in prod", {"environment": "prod"}, "require_approval", 1),
    ("ten targets in prod", {"environment": "prod", "plan": {"targets": 10}}, "require_approval", 1),
    ("eleven targets in prod", {"environment": "prod", "plan": {"targets": 11}}, "deny", 0),
    ("a medium write in dev", {"plan": {"risk": "medium"}}, "require_approval", 1),
    ("a medium write in prod", {"environment": "prod", "plan": {"risk": "medium"}}, "require_approval", 1),
    ("a high write in dev, no glass broken", {"plan": {"risk": "high"}}, "require_approval", 1),
    ("a high write in prod, no glass broken", {"environment": "prod", "plan": {"risk": "high"}}, "require_approval", 2),
    (
        "a high write in dev, glass broken",
        {"plan": {"risk": "high"}, "roles": ("sre",), "break_glass": GLASS},
        "require_approval",
        1,
    ),
    ("a write of risk read in dev", {"plan": {"risk": "read"}}, "allow", 0),
    ("a write of risk read in prod", {"plan": {"risk": "read"}, "environment": "prod"}, "allow", 0),
    ("a low write that reaches the account", {"plan": {"blast_radius": "account"}}, "require_approval", 1),
    ("the same in prod", {"plan": {"blast_radius": "account"}, "environment": "prod"}, "require_approval", 2),
    ("a viewer writes", {"roles": ("viewer",)}, "deny", 0),
    ("a service without a role for it writes", {"roles": ("service",)}, "deny", 0),
    ("no role writes", {"roles": ()}, "deny", 0),
    ("a viewer reads", {"roles": ("viewer",), "action": READ}, "allow", 0),
    ("a viewer reads in prod", {"roles": ("viewer",), "action": READ, "environment": "prod"}, "allow", 0),
    ("nobody reads", {"by": "", "action": READ}, "deny", 0),
    ("no role reads", {"roles": (), "action": READ}, "deny", 0),
    ("an irreversible low write", {"plan": {"irreversible": True}}, "require_approval", 1),
    (
        "an irreversible low write in prod",
        {"plan": {"irreversible": True}, "environment": "prod"},
        "require_approval",
        2,
    ),
]


@pytest.mark.parametrize(("fields", "outcome", "approvals"), [row[1:] for row in TABLE], ids=[row[0] for row in TABLE])
def test_the_table(fields, outcome, approvals):
    decision = decided(**fields)

    assert (decision.outcome, decision.approvals_required) == (outcome, approvals)
    assert decision.answered
    assert decision.reasons


def guards(decision):
    return {reason.guard for reason in decision.reasons}


def test_w_p01_a_plan_that_claims_less_risk_than_its_steps_have_is_denied():
    step = {"tool": "kubectl", "action": "scale", "effect": "write", "risk": "medium", "stage": "act"}

    decision = decided(plan={"risk": "read", "steps": [step]})

    assert decision.outcome == "deny"
    assert guards(decision) == {"honest_action"}


def test_w_p01_the_risk_of_the_steps_asks_for_approval():
    step = {"tool": "kubectl", "action": "scale", "effect": "write", "risk": "medium", "stage": "act"}

    assert decided(plan={"risk": "medium", "steps": [step]}).outcome == "require_approval"


def test_w_p05_a_denial_stays_a_denial_whatever_the_targets():
    viewer = decided(
        roles=("viewer",), plan={"targets": 60, "blast_radius": "account"}, constraints={"max_targets": 60}
    )
    prod = decided(environment="prod", plan={"targets": 60}, constraints={"max_targets": 60})

    assert (viewer.outcome, guards(viewer)) == ("deny", {"write_role", "decision"})
    assert (prod.outcome, guards(prod)) == ("deny", {"production_targets"})


@pytest.mark.parametrize("action", [READ, CREATE, EXECUTE, ACT, UNDO, APPROVE, CANCEL])
@pytest.mark.parametrize("environment", ["nope", "", " ", "PROD", "prod\x00", 'prod"'])
def test_w_p06_nothing_happens_in_an_unknown_or_blank_environment(action, environment):
    decision = decided(roles=("admin",), action=action, environment=environment)

    assert decision.outcome == "deny"
    assert "known_environment" in guards(decision)


@pytest.mark.parametrize("name", ["\\x0", "\\u0000", "\\", 'a"b', "a\x00b", "\\U000000000"])
def test_a_name_that_looks_like_an_escape_is_a_name(name):
    decision = decided(by=name, action=READ)

    assert (decision.answered, decision.outcome) == (True, "allow")


@pytest.mark.parametrize("name", ["", "  ", "\t\n"])
def test_a_blank_name_is_nobody(name):
    assert guards(decided(by=name, action=READ)) >= {"known_actor"}


@pytest.mark.parametrize(
    "glass",
    [
        GLASS | {"reason": "      "},
        GLASS | {"reason": "now!"},
        GLASS | {"by": "bob"},
        GLASS | {"until_ns": SUNDAY_AT_TEN},
        GLASS | {"until_ns": SUNDAY_AT_TEN + 4 * HOUR + 1},
    ],
)
def test_w_p08_breaking_the_glass_needs_a_reason_oneself_and_a_near_end(glass):
    decision = decided(roles=("admin",), break_glass=glass)

    assert (decision.outcome, guards(decision)) == ("deny", {"break_glass"})


def test_w_p08_an_operator_can_not_break_the_glass():
    assert guards(decided(roles=("operator",), break_glass=GLASS)) == {"break_glass"}


def test_w_p08_a_broken_glass_is_on_record_and_somebody_else_still_approves():
    decision = decided(roles=("admin",), break_glass=GLASS)

    assert (decision.outcome, decision.approvals_required) == ("require_approval", 1)
    duty = {"by": "ada", "reason": "checkout is down", "until_unix": NOW_UNIX + 3600}
    assert decision.obligations == {"record_break_glass": duty}


@pytest.mark.parametrize("max_targets", [-1, 0, 501, 2**62])
def test_w_p17_max_targets_that_make_no_sense_are_denied(max_targets):
    assert guards(decided(constraints={"max_targets": max_targets})) >= {"max_targets"}


def test_w_p16_an_unbounded_selector_needs_approval():
    assert decided(plan={"unbounded": True}).outcome == "require_approval"


def test_w_p16_targets_that_can_not_be_counted_break_a_limit():
    assert guards(decided(plan={"unbounded": True}, constraints={"max_targets": 5})) == {"max_targets"}


@pytest.mark.parametrize(("start", "end", "now"), [(60, 60, 60), (-1, 60, 0), (0, 1440, 0), (0, 60, 1440)])
@pytest.mark.parametrize("action", [CREATE, EXECUTE, ACT])
def test_w_p18_a_window_that_makes_no_sense_is_denied(start, end, now, action):
    window = {"start_minute": start, "end_minute": end, "now_minute": now}

    assert "maintenance_window" in guards(decided(action=action, constraints={"maintenance_window": window}))


def test_w_p19_a_step_is_blocked_when_the_window_has_closed():
    assert guards(decided(action=ACT, constraints=CLOSED)) == {"maintenance_window"}


def test_w_p20_each_decision_has_an_id_and_says_what_was_asked_of_which_rules():
    first, again, other = decided(), decided(), decided(environment="staging")

    assert first.id != again.id
    assert first.input_digest == again.input_digest != other.input_digest
    assert first.policy_digest == other.policy_digest


@pytest.mark.parametrize("action", [READ, CREATE, EXECUTE, ACT, UNDO, APPROVE, CANCEL])
def test_w_p21_what_belongs_to_another_tenant_is_denied(action):
    decision = decided(roles=("admin",), action=action, owner="other")

    assert decision.outcome == "deny"
    assert "tenant_match" in guards(decision)


WRITERS = {"operator", "sre", "admin", "agent"}
APPROVERS = {"approver", "sre", "admin"}
ASKED = {"read": READ, "create": CREATE, "execute": EXECUTE, "cancel": CANCEL, "approve": APPROVE}


@pytest.mark.parametrize(
    "role", ["viewer", "operator", "approver", "sre", "auditor", "security", "admin", "service", "agent"]
)
def test_w_p22_roles(role):
    may = {name for name, action in ASKED.items() if decided(by="bob", roles=(role,), action=action).outcome == "allow"}

    writes = {"create", "execute", "cancel"} if role in WRITERS else set()
    assert may == {"read"} | writes | ({"approve"} if role in APPROVERS else set())


def test_w_p23_a_schedule_with_the_intent_to_read_is_created():
    schedule = {"name": "schedule.create", "type": "write", "stage": None}

    without_plan = a_question(action=schedule).model_copy(update={"plan": None})

    assert judge(without_plan, TunedEngine()).outcome == "allow"
    assert decided(action=schedule, plan={"risk": "read"}).outcome == "allow"


@pytest.mark.parametrize("action", [CREATE, EXECUTE, ACT])
def test_w_p24_a_freeze_denies_every_write_but_with_broken_glass(action):
    engine = TunedEngine(freezes=[FROZEN])

    assert guards(judge(a_question(action=action), engine)) == {"change_freeze"}
    broken = judge(a_question(action=action, roles=("sre",), break_glass=GLASS), engine)
    assert broken.outcome == "require_approval"


def test_w_p24_a_freeze_has_an_end():
    engine = TunedEngine(freezes=[FROZEN])

    later = judge(a_question(now_ns=FROZEN["until_unix"] * SECOND), engine)

    assert later.outcome == "allow"


def test_w_p24_operators_windows_are_kept():
    engine = TunedEngine(windows=[{"environment": "dev", "weekdays": [6], "start_minute": 601, "end_minute": 660}])

    assert guards(judge(a_question(action=ACT), engine)) == {"change_window"}
    assert judge(a_question(action=ACT, now_ns=SUNDAY_AT_TEN + 60 * SECOND), engine).outcome == "allow"


def test_what_was_done_can_be_undone_in_a_freeze_outside_every_window_and_beyond_every_limit():
    engine = TunedEngine(freezes=[FROZEN | {"environment": "*"}])
    question = a_question(
        action=UNDO,
        environment="prod",
        plan={"risk": "high", "targets": 60, "unbounded": True, "irreversible": True, "trusted": False},
        constraints=CLOSED | {"max_targets": 1, "allowed_environments": ["dev"]},
        break_glass=GLASS | {"until_ns": 1},
    )

    assert judge(question, engine).outcome == "allow"


def test_only_a_steps_undo_is_undoing():
    engine = TunedEngine(freezes=[FROZEN])

    disguised = a_question(action={"name": "plan.execute", "type": "write", "stage": "undo"})

    assert judge(disguised, engine).outcome == "deny"


@pytest.mark.parametrize("action", [APPROVE, CANCEL])
def test_answering_and_stopping_stay_possible_in_a_freeze(action):
    engine = TunedEngine(freezes=[FROZEN])

    assert judge(a_question(action=action, by="sam", roles=("sre",)), engine).outcome == "allow"


def test_w_p26_where_the_data_want_a_broken_glass_nothing_acts_without_one():
    engine = TunedEngine(break_glass={"shortest_reason": 10, "longest_minutes": 240, "required_for_risk": ["high"]})
    high: dict[str, Any] = {"plan": {"risk": "high"}, "roles": ("sre",)}

    assert guards(judge(a_question(**high), engine)) == {"break_glass"}
    assert judge(a_question(**high, break_glass=GLASS), engine).outcome == "require_approval"


def test_w_p27_an_alert_of_any_name_gets_a_plan_that_waits_for_approval():
    plan = {"risk": "high", "trigger": "NodeNetworkDown", "trusted": False}

    decision = decided(by="alertmanager", roles=("agent",), action=CREATE, plan=plan)

    assert decision.outcome == "require_approval"


def test_an_untrusted_trigger_always_needs_approval():
    assert decided(plan={"trusted": False}).outcome == "require_approval"


def test_whoever_asked_approves_only_where_the_installation_says_so_and_never_in_production():
    own: dict[str, Any] = {"action": APPROVE, "roles": ("admin",)}

    assert decided(**own).outcome == "deny"
    assert decided(**own, self_approval_environments=["dev"]).outcome == "allow"
    assert decided(**own, environment="prod", self_approval_environments=["prod"]).outcome == "deny"


def test_constraints_hold_for_steps_that_read_as_well():
    read_step = {"name": "step.run", "type": "read", "stage": "verify"}

    assert decided(action=read_step, constraints={"allowed_environments": ["staging"]}).outcome == "deny"
