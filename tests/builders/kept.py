"""An application with nothing behind it but its database, and somebody who asks it over HTTP, in memory."""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from itertools import count

import anyio
import httpx
from tests.builders.rates import HttpChosen, unlimited
from tests.builders.refusing import a_refusal_log
from tests.conftest import Database, a_folder

from carapulse.adapters.postgres.engine import connect
from carapulse.adapters.sealing import AesGcmSealer
from carapulse.audit.model import EventFilter
from carapulse.bootstrap.work import Work
from carapulse.identity.issuer import DevelopmentIssuer
from carapulse.identity.tokens import TokenVerifier
from carapulse.kernel.call import Actor, Call
from carapulse.kernel.clock import SystemClock
from carapulse.runtime.areas import ROUTERS
from carapulse.runtime.http.app import make_app

_numbers = count(1)


class Kept:
    """What routes ask of the application when all that they need is the database."""

    def __init__(self, database, engine, issuer):
        self.database, self.engine, self.issuer, self.clock = database, engine, issuer, SystemClock()
        self.tokens = TokenVerifier([issuer.issuer], self.clock)
        self.sealer = AesGcmSealer(secrets.token_bytes(32))
        self.rates = unlimited()
        self.settings = HttpChosen()
        self.refusals = a_refusal_log()

    def begin(self, call):
        return Work(self.engine, call, self.clock)

    def ready(self):
        return {"database": True}


class Asker:
    """Asks in anybody's name, for a tenant that nobody else has."""

    def __init__(self, app):
        self.app, self.tenant = app, f"tenant-{next(_numbers)}"
        self._transport = httpx.ASGITransport(make_app(app, ROUTERS))

    def __call__(self, method, path, body=None, *, seen=None, **rest):
        who = {"by": "ada", "role": "operator", "tenant": self.tenant}
        who |= {name: rest.pop(name) for name in who if name in rest}
        token = self.app.issuer.mint(who["tenant"], who["by"], frozenset({who["role"]}), timedelta(minutes=10))
        given = {"authorization": f"Bearer {token}", **({"if-match": seen} if seen else {}), **rest}

        async def ask():
            async with httpx.AsyncClient(transport=self._transport, base_url="http://127.0.0.1") as client:
                return await client.request(method, path, json=body, headers=given)

        return anyio.run(ask)

    def pages(self, path, **who):
        """Return what is in each page of a list."""
        pages = [self("GET", path, **who)]
        while "link" in pages[-1].headers:
            pages.append(self("GET", pages[-1].headers["link"].partition(">")[0][1:], **who))
        return [page.json()["data"] for page in pages]

    def happened(self, stream):
        """Return the types of the events of a stream, the oldest first."""
        call = Call(actor=Actor(id="ada"), tenant=self.tenant, at=self.app.clock.now(), trace="0" * 32)
        with self.app.begin(call) as work:
            return [each.type for each in reversed(work.evidence.page(EventFilter(stream=stream, limit=200)).data)]


@contextmanager
def kept(database: Database) -> Iterator[Kept]:
    """Build the application on a database."""
    engine = connect(database.app_url, pool_size=24)
    with a_folder() as folder:
        yield Kept(database, engine, DevelopmentIssuer.load_or_make(folder))
    engine.dispose()


def an_asker(app: Kept) -> Asker:
    """Return somebody of a new tenant who asks the application."""
    return Asker(app)
