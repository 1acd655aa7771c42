"""An installation whose clients' sockets a gateway holds."""

import json
from concurrent.futures import ThreadPoolExecutor
from copy import deepcopy
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, cast

from tests.builders.following import FRIEND, Installation, PlanClosed
from tests.builders.log import a_call
from tests.functions.clouds import recorded
from tests.world.sockets import Sockets

from carapulse.adapters.aws.connections import ApiGatewayConnections
from carapulse.adapters.postgres.connections import PostgresConnectionBook
from carapulse.identity.model import Principal, Proof
from carapulse.kernel.call import Actor, Call
from carapulse.live.feed import Pace
from carapulse.live.held import Held
from carapulse.live.ports import HeldPorts
from carapulse.live.pusher import EACH_SECOND, Pusher
from carapulse.live.routes import held_router
from carapulse.live.usecases import issue_ticket
from carapulse.runtime.http.app import make_app
from carapulse.runtime.http.gate import Limits
from carapulse.runtime.http.held import HeldSockets


class ClockAhead:
    """The clock on the wall, or ahead of it."""

    def __init__(self) -> None:
        self._ahead = timedelta()

    def now(self) -> datetime:
        return datetime.now(UTC) + self._ahead

    def later(self, by: timedelta) -> None:
        self._ahead += by


@dataclass
class Chosen:
    """What the installation chose."""

    cors_origins: frozenset[str] = frozenset()
    rate_unauthenticated: int = 1_000_000
    live_clients: int = 100
    live_clients_of_tenant: int = 100


class Large(PlanClosed):
    reason: str = "x" * 140_000


Large.__name__ = "PlanClosed"


class HeldInstallation(Installation):
    """The same installation that serves sockets by itself, behind a gateway that holds them."""

    def __init__(self, url: str, folder: Any, world: Sockets) -> None:
        super().__init__(url, folder)
        self.world = world
        self.clock = ClockAhead()  # type: ignore[assignment]
        self.settings = Chosen()  # type: ignore[assignment]
        self.connection_book = PostgresConnectionBook(self.engine, self.direct)
        self.gateway = ApiGatewayConnections.connect(f"{world.address}/live", "tell")
        self.sockets = HeldSockets(make_app(self, [held_router], Limits(origins=frozenset({FRIEND}))), self._ports)
        self._pusher = self.another()

    def another(self, pace: Pace = EACH_SECOND) -> Pusher:
        """Return somebody else who tells clients."""
        return Pusher(self._ports, pace)

    @property
    def _ports(self) -> HeldPorts:
        return cast("HeldPorts", self)  # it chose what its base has no word for

    def look(self, pusher: Pusher | None = None) -> None:
        """Let clients be told once what is new."""
        one = pusher or self._pusher
        with ThreadPoolExecutor(4) as threads:
            self.tail.settled()
            one.look_once(threads)
        self.connection_book.leave(one.name, None)

    def call(self, tenant: str) -> Call:
        made: Call = a_call(tenant)
        return made

    def happen_large(self) -> None:
        self.happen(Large)

    def bearer(self, **who: Any) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token(**who)}"}

    def come(self, name: str, tenant: str = "acme", lifetime: timedelta = timedelta(hours=3), **query: str) -> Any:
        """Let a client in."""
        return self.connect(name, query, headers=self.bearer(tenant=tenant, lifetime=lifetime))

    def connect(self, name: str, query: dict[str, str] | None = None, headers: dict[str, str] | None = None) -> Any:
        event = self._event("connect", name)
        given = self.bearer() if headers is None else headers
        event["multiValueHeaders"] |= {key: [value] for key, value in given.items()}
        event["headers"] |= given
        event["queryStringParameters"] = query
        event["multiValueQueryStringParameters"] = {key: [value] for key, value in (query or {}).items()}
        return self.sockets.answer(event)

    def hear(self, name: str, message: dict[str, Any] | str | None) -> None:
        event = self._event("message", name)
        event["body"] = json.dumps(message) if isinstance(message, dict) else message
        event["isBase64Encoded"] = message is None
        assert self.sockets.answer(event)["statusCode"] == 200

    def tell(self, occasion: str, name: str) -> Any:
        return self.sockets.answer(self._event(occasion, name))

    def ticket(self, tenant: str) -> str:
        actor = Actor(id="ada", roles=frozenset({"viewer"}))
        at = self.clock.now()
        principal = Principal(actor=actor, tenant=tenant, expires_at=at.timestamp() + 60, proof=Proof(kind="token"))
        return issue_ticket(principal, Call(actor=actor, tenant=tenant, at=at, trace="1" * 32), self).ticket

    def there(self) -> list[str]:
        return [each.id for each in self.clients()]

    def clients(self) -> list[Held]:
        return list(self.connection_book.all()[0])

    def _event(self, occasion: str, name: str) -> dict[str, Any]:
        event: dict[str, Any] = deepcopy(recorded(f"aws/websocket_{occasion}"))
        event["requestContext"]["connectionId"] = name
        return event
