"""live: lets clients in whose sockets API Gateway holds, hears them, and forgets them."""

from typing import Any

from carapulse.live.routes import held_router
from carapulse.runtime.functions import serving_people
from carapulse.runtime.http.app import make_app
from carapulse.runtime.http.gate import Limits
from carapulse.runtime.http.held import HeldSockets, refuse_no_gateway
from carapulse.runtime.measured import measured

_application = serving_people("live")
refuse_no_gateway(_application.settings)
_sockets = HeldSockets(make_app(_application, [held_router], Limits.of(_application.settings)), _application)


@measured("live")
def lambda_handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Answer one event about a socket."""
    return _sockets.answer(event)
