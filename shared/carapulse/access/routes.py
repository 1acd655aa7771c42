"""Access over HTTP."""

from fastapi import APIRouter

from carapulse.access.examples import CHECKING
from carapulse.access.model import Checked, Me
from carapulse.access.usecases import CheckAccess, check_access
from carapulse.examples import shows
from carapulse.routing import Ports, ThisCall, ThisPrincipal, needs

router = APIRouter(tags=["access"])


@router.get("/v1/me", name="me", dependencies=[needs("authenticated")])
def me(principal: ThisPrincipal) -> Me:
    """Say who the caller is here, what they may do and touch, and until when."""
    return Me.of(principal)


@router.post("/v1/authz:check", name="check", dependencies=[needs("authz:check")], openapi_extra=shows(CHECKING))
def check(command: CheckAccess, call: ThisCall, ports: Ports) -> Checked:
    """Say whether somebody may do something, and what each stage says of it. It changes nothing."""
    return check_access(command, call, ports)
