"""Which role may do what: one table, and no by default."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, Literal, get_args

from carapulse.identity.errors import PersonRequired, RoleRequired
from carapulse.identity.model import Role
from carapulse.kernel.call import Call

Permission = Literal[
    "alert:close",
    "alert:read",
    "approval:decide",
    "approval:read",
    "audit:read",
    "evidence:export",
    "execution:cancel",
    "execution:pause",
    "execution:read",
    "execution:resolve",
    "execution:resume",
    "execution:retry",
    "freeze:read",
    "freeze:write",
    "message:discard",
    "message:read",
    "message:replay",
    "plan:create",
    "plan:execute",
    "plan:read",
    "schedule:delete",
    "schedule:read",
    "schedule:write",
    "source:read",
    "source:write",
    "tool:read",
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
        "execution:read",
        "freeze:read",
        "plan:read",
        "schedule:read",
        "tool:read",
        "window:read",
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
    "plan:create",
    "plan:execute",
    "schedule:delete",
    "schedule:write",
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
            "freeze:write",
            "message:discard",
            "window:write",
            "workflow:write",
        },
        Role.AUDITOR: _PROVE,
        Role.SECURITY: _PROVE
        | {"approval:decide", "execution:cancel", "execution:pause", "freeze:write", "source:read"},
        Role.ADMIN: PERMISSIONS,
        Role.SERVICE: _LOOK | {"plan:create", "plan:execute", "workflow:start"},
        Role.AGENT: _LOOK | {"plan:create", "workflow:start"},
    }
)

PERSON_ONLY: Final[frozenset[Permission]] = frozenset({"approval:decide", "execution:resolve"})
"""An approval, or what was seen of a lost step, is a person's word; a machine that holds the role can't give it."""


def permissions_of(roles: frozenset[str]) -> frozenset[Permission]:
    """Return everything these roles allow; a role that is not known allows nothing."""
    return frozenset().union(*(granted for role, granted in GRANTS.items() if role in roles))


def require(call: Call, permission: Permission) -> None:
    """Return if the caller may do this, or raise Denied."""
    if permission not in permissions_of(call.actor.roles):
        raise RoleRequired(f"none of your roles allows {permission}", permission=permission)
    if permission in PERSON_ONLY and call.actor.kind != "person":
        raise PersonRequired(f"only a person may do {permission}", permission=permission)
