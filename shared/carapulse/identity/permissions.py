"""Which role may do what: one table, and no by default."""

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Final, Literal, get_args

from carapulse.identity.errors import PersonRequired, RoleRequired, ScopeExceeded
from carapulse.identity.model import Role
from carapulse.kernel.call import Actor, Call
from carapulse.kernel.errors import Denied

Permission = Literal[
    "alert:close",
    "alert:read",
    "api-key:read",
    "api-key:revoke",
    "api-key:write",
    "approval:decide",
    "approval:read",
    "audit:read",
    "authz:check",
    "authz:check-others",
    "event:read",
    "evidence:export",
    "execution:cancel",
    "execution:pause",
    "execution:read",
    "execution:resolve",
    "execution:resume",
    "execution:retry",
    "memory:delete",
    "memory:read",
    "memory:write",
    "message:discard",
    "message:read",
    "message:replay",
    "plan:create",
    "plan:execute",
    "plan:read",
    "playbook:delete",
    "playbook:read",
    "playbook:write",
    "runbook:delete",
    "runbook:read",
    "runbook:write",
    "session:delete",
    "session:read",
    "session:write",
    "source:read",
    "source:write",
    "tool:read",
    "workflow:read",
    "workflow:start",
]
PERMISSIONS: Final[frozenset[Permission]] = frozenset(get_args(Permission))

_LOOK: Final[frozenset[Permission]] = frozenset(
    {
        "alert:read",
        "approval:read",
        "authz:check",
        "event:read",
        "execution:read",
        "memory:read",
        "plan:read",
        "playbook:read",
        "runbook:read",
        "session:read",
        "tool:read",
        "workflow:read",
    }
)
_OPERATE: Final[frozenset[Permission]] = _LOOK | {
    "alert:close",
    "execution:cancel",
    "message:read",
    "message:replay",
    "execution:pause",
    "execution:resolve",
    "execution:resume",
    "execution:retry",
    "memory:delete",
    "memory:write",
    "plan:create",
    "plan:execute",
    "playbook:write",
    "runbook:write",
    "session:delete",
    "session:write",
    "workflow:start",
}
_PROVE: Final[frozenset[Permission]] = _LOOK | {"audit:read", "evidence:export", "message:read"}

GRANTS: Final[Mapping[Role, frozenset[Permission]]] = MappingProxyType(
    {
        Role.VIEWER: _LOOK,
        Role.OPERATOR: _OPERATE,
        Role.APPROVER: _LOOK | {"approval:decide"},
        Role.SRE: _OPERATE
        | {
            "approval:decide",
            "audit:read",
            "evidence:export",
            "message:discard",
            "playbook:delete",
            "runbook:delete",
        },
        Role.AUDITOR: _PROVE,
        Role.SECURITY: _PROVE
        | {
            "api-key:read",
            "api-key:revoke",
            "approval:decide",
            "authz:check-others",
            "execution:cancel",
            "execution:pause",
            "source:read",
        },
        Role.ADMIN: PERMISSIONS,
        Role.SERVICE: _LOOK | {"plan:create", "plan:execute", "workflow:start"},
        Role.AGENT: _LOOK | {"memory:write", "plan:create", "workflow:start"},
    }
)

PERSON_ONLY: Final[frozenset[Permission]] = frozenset({"api-key:write", "approval:decide", "execution:resolve"})
"""An approval, or what was seen of a lost step, is a person's word, and a key needs somebody who answers for it. A
machine that holds the role can't give these."""

KEEPS_TO_SCOPE: Final[frozenset[Permission]] = frozenset(
    {
        "alert:close",
        "alert:read",
        "api-key:read",
        "api-key:revoke",
        "api-key:write",
        "approval:decide",
        "approval:read",
        "audit:read",
        "authz:check",
        "evidence:export",
        "execution:cancel",
        "execution:pause",
        "execution:read",
        "execution:resolve",
        "execution:resume",
        "execution:retry",
        "plan:create",
        "plan:execute",
        "plan:read",
        "tool:read",
        "workflow:read",
        "workflow:start",
    }
)
"""What a caller with a scope may do, because it shows and touches nothing outside. All else is about a whole tenant,
and what is new is so until somebody has looked."""


def permissions_of(roles: frozenset[str]) -> frozenset[Permission]:
    """Return everything these roles allow; a role that is not known allows nothing."""
    return frozenset().union(*(granted for role, granted in GRANTS.items() if role in roles))


def roles_with(permission: Permission) -> tuple[Role, ...]:
    """Return the roles that allow this."""
    return tuple(role for role, granted in GRANTS.items() if permission in granted)


def refusals(actor: Actor, permission: Permission) -> Iterator[Denied]:
    """Yield every reason why this actor may not do this. On every surface this is what decides, and no answer is yes.

    Where something is done to a plan, policy decides as well, and stores show only what is within the scope.
    """
    if permission not in permissions_of(actor.roles):
        yield RoleRequired(f"none of your roles allows {permission}", permission=permission)
    if permission in PERSON_ONLY and actor.kind != "person":
        yield PersonRequired(f"only a person may do {permission}", permission=permission)
    if not actor.scope.is_whole and permission not in KEEPS_TO_SCOPE:
        yield ScopeExceeded(f"{permission} is about the whole tenant, and your scope is a part", permission=permission)


def require(call: Call, permission: Permission) -> None:
    """Return if the caller may do this, or raise Denied."""
    for refusal in refusals(call.actor, permission):
        raise refusal
