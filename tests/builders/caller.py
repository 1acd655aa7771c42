"""Somebody who asks the whole HTTP application in memory: routes, guards and edges, but no socket."""

from datetime import timedelta

import anyio
import httpx
from tests.builders.keys import FRESH, keyed

from carapulse.bootstrap import App
from carapulse.identity.issuer import DevelopmentIssuer
from carapulse.kernel.clock import Clock
from carapulse.runtime.areas import ROUTERS
from carapulse.runtime.http.app import make_app

ADA = {"by": "ada", "role": "admin", "tenant": "acme"}


class Caller:
    """Asks in anybody's name."""

    def __init__(self, app: App, clock: Clock | None = None) -> None:
        self._issuer = DevelopmentIssuer.load_or_make(app.settings.data_dir, clock)
        self._transport = httpx.ASGITransport(make_app(app, ROUTERS))

    def __call__(self, method, path, body=None, *, headers=None, **rest):
        """Ask; `key` is the idempotency key of a POST, None for none, and without it there is a fresh one.

        `signed`: what is sent proves itself, and nobody's bearer comes with it.
        """
        is_signed = rest.pop("signed", False)
        key = None if is_signed else rest.pop("key", FRESH)
        who = {name: rest.pop(name, default) for name, default in ADA.items()}
        token = self._issuer.mint(who["tenant"], who["by"], frozenset({who["role"]}), timedelta(minutes=10))

        async def ask():
            async with httpx.AsyncClient(transport=self._transport, base_url="http://127.0.0.1") as client:
                bearer = {} if is_signed else {"authorization": f"Bearer {token}"}
                given = {**bearer, **keyed(method, key), **(headers or {})}
                return await client.request(method, path, json=body, headers=given, **rest)

        return anyio.run(ask)
