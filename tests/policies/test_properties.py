"""What holds for every question that can be put, not only for those we thought of."""

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.builders.policy import ACT, APPROVE, CANCEL, CREATE, EXECUTE, HOUR, READ, SUNDAY_AT_TEN, UNDO, the_engine

from carapulse.policy.document import PolicyInput
from carapulse.policy.model import Decision
from carapulse.policy.usecases import judge

KNOWN = ("local", "dev", "staging", "prod")
ROLES = ("viewer", "operator", "approver", "sre", "auditor", "security", "admin", "service", "agent")
RISKS = ("read", "low", "medium", "high")
MINUTES = st.integers(-1, 1440)
people = st.sampled_from(["ada", "bob", "eve\x00", "ada\x00", '"'])
changing = st.sampled_from([CREATE, EXECUTE, ACT])
actions = st.sampled_from([READ, CREATE, EXECUTE, ACT, UNDO, APPROVE, CANCEL])

plans = st.fixed_dictionaries(
    {
        "risk": st.sampled_from(RISKS),
        "targets": st.sampled_from([0, 1, 10, 11, 50, 51, 500, 501]),
        "unbounded": st.booleans(),
        "blast_radius": st.sampled_from(["namespace", "cluster", "account"]),
        "trigger": st.text(max_size=5),
        "trusted": st.booleans(),
        "requested_by": people,
        "irreversible": st.booleans(),
        "steps": st.lists(
            st.fixed_dictionaries(
                {
                    "tool": st.just("git"),
                    "action": st.just("push"),
                    "effect": st.sampled_from(["read", "write", "destructive"]),
                    "risk": st.sampled_from(RISKS),
                    "stage": st.just("act"),
                }
            ),
            max_size=2,
        ),
    }
)
windows = st.fixed_dictionaries({"start_minute": MINUTES, "end_minute": MINUTES, "now_minute": MINUTES})
glasses = st.fixed_dictionaries(
    {
        "reason": st.sampled_from(["", "because", "checkout is down"]),
        "by": people,
        "until_ns": st.sampled_from([SUNDAY_AT_TEN - 1, SUNDAY_AT_TEN + HOUR, SUNDAY_AT_TEN + 9 * HOUR]),
    }
)
freezes = st.fixed_dictionaries(
    {
        "name": st.sampled_from(["sale", "audit"]),
        "reason": st.just("many people shop"),
        "until_ns": st.none() | st.just(SUNDAY_AT_TEN + HOUR),
        "allow_drafts": st.booleans(),
    }
)
questions = st.fixed_dictionaries(
    {
        "call": st.fixed_dictionaries(
            {
                "actor": st.fixed_dictionaries(
                    {
                        "id": people,
                        "kind": st.sampled_from(["person", "service", "agent"]),
                        "roles": st.lists(st.sampled_from(ROLES), max_size=3, unique=True),
                    }
                ),
                "tenant": st.just("acme"),
            }
        ),
        "action": actions,
        "context": st.fixed_dictionaries({"tenant": st.just("acme"), "environment": st.sampled_from(KNOWN)}),
        "plan": st.none() | plans,
        "constraints": st.fixed_dictionaries(
            {
                "allowed_environments": st.none() | st.lists(st.sampled_from(KNOWN)),
                "max_targets": st.none() | st.sampled_from([-1, 0, 1, 50, 60, 500, 501]),
                "maintenance_window": st.none() | windows,
            }
        ),
        "break_glass": st.none() | glasses,
        "self_approval_environments": st.lists(st.sampled_from(KNOWN)),
        "standing": st.fixed_dictionaries({"freezes": st.lists(freezes, max_size=2), "closed_window": st.booleans()}),
        "now_ns": st.just(SUNDAY_AT_TEN),
    }
)
each = settings(max_examples=40, deadline=None)


def decided(question: dict[str, Any]) -> Decision:
    decision = judge(PolicyInput.model_validate(question), the_engine())
    assert decision.answered
    return decision


@each
@given(questions, st.text(max_size=20).filter(lambda name: name not in KNOWN))
def test_nothing_is_permitted_in_an_environment_nobody_knows(question, name):
    question["context"]["environment"] = name

    assert decided(question).outcome == "deny"


@each
@given(questions, st.text(alphabet=" \t\n", max_size=3))
def test_nothing_is_permitted_to_nobody(question, name):
    question["call"]["actor"]["id"] = name

    assert decided(question).outcome == "deny"


@each
@given(questions, st.text(max_size=20).filter(lambda name: name != "acme"))
def test_nothing_is_permitted_across_tenants(question, tenant):
    question["context"]["tenant"] = tenant

    assert decided(question).outcome == "deny"


@each
@given(questions, st.lists(st.sampled_from(["viewer", "auditor", "security", "service", "approver", "root", ""])))
def test_no_write_is_permitted_without_a_role_for_it(question, roles):
    question["call"]["actor"]["roles"] = roles
    question["action"] = CREATE if question["action"] in (READ, APPROVE) else question["action"]

    assert decided(question).outcome == "deny"


@each
@given(questions)
def test_no_answer_is_permitted_to_whoever_asked_in_production(question):
    question["action"] = APPROVE
    question["context"]["environment"] = "prod"
    question["plan"] = {**(question["plan"] or A_PLAN), "requested_by": question["call"]["actor"]["id"]}

    assert decided(question).outcome == "deny"


@each
@given(questions, changing)
def test_no_change_of_production_is_allowed_without_a_second_person(question, action):
    question["action"] = action
    question["context"]["environment"] = "prod"
    question["plan"] = {**(question["plan"] or A_PLAN), "risk": "low"}

    assert decided(question).outcome != "allow"


@each
@given(questions, changing, st.sampled_from(["trusted", "unbounded", "irreversible", "blast_radius"]))
def test_nothing_that_people_must_see_is_allowed_without_them(question, action, field):
    worst = {"trusted": False, "unbounded": True, "irreversible": True, "blast_radius": "account"}
    question["action"] = action
    question["plan"] = {**(question["plan"] or A_PLAN), field: worst[field]}

    assert decided(question).outcome != "allow"


@each
@given(questions, changing)
def test_a_broken_glass_never_makes_a_change_easier_to_get_allowed(question, action):
    question["action"] = action
    question["plan"] = question["plan"] or A_PLAN
    question["break_glass"] = {
        "reason": "checkout is down",
        "by": question["call"]["actor"]["id"],
        "until_ns": SUNDAY_AT_TEN + HOUR,
    }

    assert decided(question).outcome != "allow"


@each
@given(questions, st.data())
def test_deny_wins_whatever_else_holds(question, data):
    denied = decided(question).outcome == "deny"
    question["self_approval_environments"] = []
    question["constraints"]["allowed_environments"] = []
    question["action"] = (
        data.draw(changing) if question["action"] in (READ, APPROVE, CANCEL, UNDO) else question["action"]
    )

    assert decided(question).outcome == "deny" or denied


@each
@given(questions, st.text(max_size=30), st.text(max_size=30))
def test_no_text_makes_the_answer_unclear(question, name, reason):
    question["call"]["actor"]["id"] = name
    question["context"]["namespace"] = reason
    question["plan"] = {**(question["plan"] or A_PLAN), "trigger": reason}
    question["break_glass"] = {"reason": reason, "by": name, "until_ns": SUNDAY_AT_TEN + HOUR}

    decided(question)


A_PLAN: dict[str, Any] = {
    "risk": "low",
    "targets": 1,
    "unbounded": False,
    "blast_radius": "namespace",
    "trigger": "manual",
    "trusted": True,
    "requested_by": "ada",
    "irreversible": False,
    "steps": [],
}
