"""Which role may do what."""

from datetime import UTC, datetime

import pytest

from carapulse.identity.errors import PersonRequired, RoleRequired, ScopeExceeded
from carapulse.identity.model import Role
from carapulse.identity.permissions import GRANTS, KEEPS_TO_SCOPE, PERMISSIONS, permissions_of, require
from carapulse.kernel.call import Actor, Call, Scope


def a_call(*roles, kind="person", **scope):
    actor = Actor(id="ada", kind=kind, roles=frozenset(roles), scope=Scope(**scope))
    return Call(actor=actor, tenant="acme", at=datetime(2026, 11, 21, tzinfo=UTC), trace="0" * 31 + "1")


def test_every_role_is_in_the_table():
    assert set(GRANTS) == set(Role)


@pytest.mark.parametrize("permission", sorted(PERMISSIONS))
def test_somebody_without_a_role_may_do_nothing(permission):
    with pytest.raises(RoleRequired) as refused:
        require(a_call("root"), permission)

    assert refused.value.facts == {"permission": permission}


@pytest.mark.parametrize("role", [Role.VIEWER, Role.AUDITOR, Role.APPROVER])
@pytest.mark.parametrize(
    "permission", ["plan:create", "plan:execute", "workflow:start", "execution:cancel", "source:write"]
)
def test_those_who_look_and_judge_change_nothing(role, permission):
    with pytest.raises(RoleRequired):
        require(a_call(role), permission)


def test_an_operator_does_not_approve():
    with pytest.raises(RoleRequired):
        require(a_call("operator"), "approval:decide")


@pytest.mark.parametrize("kind", ["service", "agent"])
def test_a_machine_never_approves_whatever_its_role(kind):
    with pytest.raises(PersonRequired):
        require(a_call("admin", "approver", kind=kind), "approval:decide")


@pytest.mark.parametrize("kind", ["service", "agent"])
def test_a_machine_never_says_what_a_person_saw(kind):
    with pytest.raises(PersonRequired):
        require(a_call("operator", kind=kind), "execution:resolve")


def test_security_stops_runs_and_does_not_drive_them_on():
    require(a_call("security"), "execution:pause")
    for permission in ("execution:resume", "execution:retry", "execution:resolve"):
        with pytest.raises(RoleRequired):
            require(a_call("security"), permission)


def test_roles_add_up():
    both = permissions_of(frozenset({"operator", "approver"}))

    assert both == GRANTS[Role.OPERATOR] | GRANTS[Role.APPROVER]
    require(a_call("operator", "approver"), "approval:decide")


@pytest.mark.parametrize("role", [Role.VIEWER, Role.APPROVER, Role.SERVICE, Role.AGENT])
def test_messages_that_were_given_up_are_for_those_who_run_the_place(role):
    with pytest.raises(RoleRequired):
        require(a_call(role), "message:read")


@pytest.mark.parametrize("role", [Role.AUDITOR, Role.SECURITY])
def test_those_who_look_replay_no_message(role):
    require(a_call(role), "message:read")
    with pytest.raises(RoleRequired):
        require(a_call(role), "message:replay")


def test_an_operator_replays_a_message_and_throws_none_away():
    require(a_call("operator"), "message:replay")
    with pytest.raises(RoleRequired):
        require(a_call("operator"), "message:discard")


def test_an_agent_proposes_and_does_not_execute():
    require(a_call("agent", kind="agent"), "plan:create")
    with pytest.raises(RoleRequired):
        require(a_call("agent", kind="agent"), "plan:execute")


@pytest.mark.parametrize("kind", ["service", "agent"])
def test_a_machine_never_makes_a_key(kind):
    with pytest.raises(PersonRequired):
        require(a_call("admin", kind=kind), "api-key:write")


@pytest.mark.parametrize(
    "permission", ["message:read", "message:replay", "message:discard", "source:read", "source:write"]
)
def test_what_is_about_the_whole_tenant_is_refused_to_a_part_of_it(permission):
    require(a_call("admin"), permission)
    with pytest.raises(ScopeExceeded):
        require(a_call("admin", environments=("dev",)), permission)


def test_a_scope_leaves_what_keeps_to_it():
    for permission in KEEPS_TO_SCOPE:
        require(a_call("admin", services=("shop",)), permission)
