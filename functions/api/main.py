"""api: the HTTP API, all of it."""

from typing import Any

from carapulse.runtime.areas import ROUTERS
from carapulse.runtime.functions import serving_people
from carapulse.runtime.http.app import make_app
from carapulse.runtime.http.gate import Limits
from carapulse.runtime.http.gateway import behind_gateway
from carapulse.runtime.measured import measured

_application = serving_people("api")
app = make_app(_application, ROUTERS, Limits.of(_application.settings))
_answer = behind_gateway(app)


@measured("api")
def lambda_handler(event: dict[str, Any], context: Any) -> dict[str, Any]:  # noqa: ANN401 - Lambda's own type
    """Answer one request that API Gateway passes on; a server such as uvicorn takes `app` instead."""
    return _answer(event, context)
