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
    "approval:delegate",
    "approval:read",
    "audit:read",
    "authz:check",
    "authz:check-others",
    "channel:delete",
    "channel:read",
    "channel:write",
    "collector:delete",
    "collector:read",
    "collector:run",
    "collector:write",
    "event:read",
    "chat-link:delete",
    "chat-link:delete-others",
    "chat-link:read",
    "chat-link:read-others",
    "chat-link:write",
    "chat-workspace:delete",
    "chat-workspace:read",
    "chat-workspace:write",
    "context:read",
    "context:write",
    "evidence:export",
    "execution:cancel",
    "execution:pause",
    "execution:read",
    "execution:resolve",
    "execution:resume",
    "execution:retry",
    "freeze:read",
    "freeze:write",
    "memory:delete",
    "memory:read",
    "memory:write",
    "message:discard",
    "message:read",
    "message:replay",
    "plan:archive",
    "plan:cancel",
    "plan:create",
    "plan:execute",
    "plan:read",
    "playbook:delete",
    "playbook:read",
    "playbook:write",
    "runbook:delete",
    "runbook:read",
    "runbook:write",
    "schedule:delete",
    "schedule:read",
    "schedule:write",
    "session:delete",
    "session:read",
    "session:write",
    "source:read",
    "source:write",
    "tool:read",
    "tool:validate",
    "window:read",
    "window:write",
    "workflow:read",
    "workflow:start",
    "workflow:write",
]
PERMISSIONS: Final[frozenset[Permission]] = frozenset(get_args(Permission))

_LOOK: Final[frozenset[Permission]] = frozenset(
    {
        "alert:read",
        "approval:read",
        "authz:check",
        "chat-link:delete",
        "chat-link:read",
        "chat-link:write",
        "collector:read",
        "context:read",
        "event:read",
        "execution:read",
        "freeze:read",
        "memory:read",
        "plan:read",
        "playbook:read",
        "runbook:read",
        "schedule:read",
        "session:read",
        "tool:read",
        "window:read",
        "workflow:read",
    }
)
_OPERATE: Final[frozenset[Permission]] = _LOOK | {
    "alert:close",
    "collector:run",
    "execution:cancel",
    "message:read",
    "message:replay",
    "execution:pause",
    "execution:resolve",
    "execution:resume",
    "execution:retry",
    "memory:delete",
    "memory:write",
    "plan:archive",
    "plan:cancel",
    "plan:create",
    "plan:execute",
    "playbook:write",
    "runbook:write",
    "schedule:delete",
    "schedule:write",
    "session:delete",
    "session:write",
    "tool:validate",
    "workflow:start",
}
_ANSWER: Final[frozenset[Permission]] = frozenset({"approval:decide", "approval:delegate"})
_PROVE: Final[frozenset[Permission]] = _LOOK | {"audit:read", "evidence:export", "message:read"}

GRANTS: Final[Mapping[Role, frozenset[Permission]]] = MappingProxyType(
    {
        Role.VIEWER: _LOOK,
        Role.OPERATOR: _OPERATE,
        Role.APPROVER: _LOOK | _ANSWER,
        Role.SRE: _OPERATE
        | _ANSWER
        | {
            "audit:read",
            "channel:read",
            "collector:delete",
            "collector:write",
            "context:write",
            "evidence:export",
            "freeze:write",
            "message:discard",
            "playbook:delete",
            "runbook:delete",
            "window:write",
            "workflow:write",
        },
        Role.AUDITOR: _PROVE,
        Role.SECURITY: _PROVE
        | _ANSWER
        | {
            "api-key:read",
            "api-key:revoke",
            "authz:check-others",
            "chat-link:delete-others",
            "chat-link:read-others",
            "chat-workspace:read",
            "channel:read",
            "execution:cancel",
            "execution:pause",
            "freeze:write",
            "plan:cancel",
            "source:read",
        },
        Role.ADMIN: PERMISSIONS,
        Role.SERVICE: _LOOK | {"context:write", "plan:create", "plan:execute", "tool:validate", "workflow:start"},
        Role.AGENT: _LOOK | {"memory:write", "plan:create", "tool:validate", "workflow:start"},
        Role.COLLECTOR: frozenset({"context:write"}),
    }
)

PERSON_ONLY: Final[frozenset[Permission]] = _ANSWER | {
    "api-key:write",
    "chat-link:write",
    "chat-workspace:write",
    "execution:resolve",
}
"""An approval, or what was seen of a lost step, is a person's word, a key needs somebody who answers for it, and in a
chat only people are known; whoever says how a chat proves itself could speak for them. A machine that holds the role
can't give these."""

KEEPS_TO_SCOPE: Final[frozenset[Permission]] = frozenset(
    {
        "alert:close",
        "alert:read",
        "api-key:read",
        "api-key:revoke",
        "api-key:write",
        "approval:decide",
        "approval:delegate",
        "approval:read",
        "audit:read",
        "authz:check",
        "chat-link:delete",
        "chat-link:read",
        "chat-link:write",
        "evidence:export",
        "execution:cancel",
        "execution:pause",
        "execution:read",
        "execution:resolve",
        "execution:resume",
        "execution:retry",
        "freeze:read",
        "plan:archive",
        "plan:cancel",
        "plan:create",
        "plan:execute",
        "plan:read",
        "tool:read",
        "tool:validate",
        "window:read",
        "workflow:read",
        "workflow:start",
    }
)
"""What a caller with a scope may do, because it shows and touches nothing outside. All else is about a whole tenant,
and what is new is so until somebody has looked."""


_NOTHING: Final[frozenset[Permission]] = frozenset()


def permissions_of(roles: frozenset[str]) -> frozenset[Permission]:
    """Return everything these roles allow; a role that is not known allows nothing."""
    return frozenset().union(*(granted for role, granted in GRANTS.items() if role in roles))


def roles_with(permission: Permission) -> tuple[Role, ...]:
    """Return the roles that allow this."""
    return tuple(role for role, granted in GRANTS.items() if permission in granted)


def refusals(actor: Actor, permission: Permission, *, lent: frozenset[Permission] = _NOTHING) -> Iterator[Denied]:
    """Yield every reason why this actor may not do this. On every surface this is what decides, and no answer is yes.

    Where something is done to a plan, policy decides as well, and stores show only what is within the scope.
    """
    if permission not in permissions_of(actor.roles) | lent:
        yield RoleRequired(f"none of your roles allows {permission}", permission=permission)
    if permission in PERSON_ONLY and actor.kind != "person":
        yield PersonRequired(f"only a person may do {permission}", permission=permission)
    if not actor.scope.is_whole and permission not in KEEPS_TO_SCOPE:
        yield ScopeExceeded(f"{permission} is about the whole tenant, and your scope is a part", permission=permission)


def require(call: Call, permission: Permission, *, lent: frozenset[Permission] = _NOTHING) -> None:
    """Return if the caller may do this, or raise Denied. `lent`: what others lent the caller for this one thing."""
    for refusal in refusals(call.actor, permission, lent=lent):
        raise refusal
