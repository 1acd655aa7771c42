"""webhooks: where outside systems report to; nothing else of the API is served here."""

from typing import Any

from carapulse.runtime.areas import ROUTERS
from carapulse.runtime.functions import application
from carapulse.runtime.http.app import make_app
from carapulse.runtime.http.gateway import behind_gateway, below
from carapulse.runtime.http.paths import WEBHOOKS
from carapulse.runtime.measured import measured

app = make_app(application("webhooks"), below(WEBHOOKS, ROUTERS))
_answer = behind_gateway(app)


@measured("webhooks")
def lambda_handler(event: dict[str, Any], context: Any) -> dict[str, Any]:  # noqa: ANN401 - Lambda's own type
    """Answer one request that API Gateway passes on; a server such as uvicorn takes `app` instead."""
    return _answer(event, context)
