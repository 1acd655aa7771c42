"""The whole application over HTTP, asked in memory, and once for all tests of a file."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from itertools import count
from typing import Any

import anyio
import httpx
import pytest
from tests.builders.application import LAMPS, MovableClock
from tests.builders.keys import keyed
from tests.builders.plans import GLANCE, SWITCH
from tests.builders.shipped import the_shipped
from tests.conftest import a_database

from carapulse.bootstrap import make_app
from carapulse.identity.issuer import DevelopmentIssuer
from carapulse.kernel.call import Scope
from carapulse.kernel.clock import SystemClock
from carapulse.runtime.areas import ROUTERS
from carapulse.runtime.http.app import make_app as make_http
from carapulse.settings import Settings

WHOLE = Scope()


class Site:
    """One installation with one or more processes, and whoever asks it."""

    def __init__(self, url, folder):
        self.url = url
        self.lamps = count(1)
        self.settings = Settings(data_dir=folder)
        self.clock = MovableClock(SystemClock().now())
        self.app = self.another_process()
        self.http = make_http(self.app, ROUTERS)
        self.issuer = DevelopmentIssuer.load_or_make(folder, self.clock)

    def another_process(self, url=None):
        return make_app(self.settings, url or self.url, self.clock, the_shipped(LAMPS))

    @contextmanager
    def believing(self, issuers_file):
        """Serve a further process, which believes the issuers of a file."""
        settings = self.settings.model_copy(update={"issuers_file": issuers_file})
        app = make_app(settings, self.url, self.clock, the_shipped(LAMPS))
        yield make_http(app, ROUTERS)
        app.close()

    def token(self, by="ada", role="admin", tenant="acme", kind="person", scope=WHOLE):
        roles = frozenset({role} if isinstance(role, str) else role)
        return self.issuer.mint(tenant, by, roles, timedelta(hours=12), kind, scope)

    def ask(self, method, path, body=None, *, key=None, http=None, headers=None, **whose: Any):
        bearer = key or self.token(**whose)
        transport = httpx.ASGITransport(http or self.http)

        async def send():
            async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
                given = {"authorization": f"Bearer {bearer}", **keyed(method), **(headers or {})}
                return await client.request(method, path, json=body, headers=given)

        return anyio.run(send)

    def made(self, **facts: Any):
        """Make a key, and return it with its text."""
        answer = self.ask("POST", "/v1/api-keys", self.wanted(**facts))
        assert answer.status_code == 201, answer.text
        return answer.json()["key"], answer.json()["text"]

    def wanted(self, *, name="deployer", kind="service", roles=("operator",), days=30, **more: Any):
        until = (self.clock.now() + timedelta(days=days)).isoformat()
        return {"name": name, "kind": kind, "roles": list(roles), "expires_at": until, **more}

    def planned(self, environment="dev", service="checkout", cluster=None, *, on=True, **whose: Any):
        """Ask for a plan about a lamp of its own, which needs approval if it makes it dark, and return the answer."""
        lamp = f"lamp-{next(self.lamps)}"
        context = {"environment": environment, "service": service, "cluster_id": cluster, "namespace": "shop"}
        given = {name: value for name, value in context.items() if value is not None}
        steps = [{**SWITCH, "input": {"lamp": lamp, "on": on}}, {**GLANCE, "input": {"lamp": lamp}}]
        body = {"summary": "Switch the hall's lamp on", "context": given, "steps": steps}
        return self.ask("POST", "/v1/plans", body, **{"role": "operator", **whose})

    def answered(self, plan, **whose: Any):
        """Approve a plan as it is now, if whoever asks may, and return the answer."""
        etag = self.ask("GET", f"/v1/plans/{plan['plan_id']}", by="root").headers["etag"]
        body = {"plan_id": plan["plan_id"], "status": "approved", "digest": plan["digest"]}
        return self.ask("POST", "/v1/approvals", body, headers={"if-match": etag}, **whose)

    def events(self, kind, **wanted: Any):
        query = "&".join(f"{name}={value}" for name, value in {"type": kind, "limit": 200, **wanted}.items())
        return self.ask("GET", f"/v1/audit/events?{query}", by="root").json()["data"]


@pytest.fixture(scope="module")
def site(postgres, tmp_path_factory) -> Iterator[Site]:
    with a_database(postgres) as database:
        folder = tmp_path_factory.mktemp("site")
        folder.chmod(0o700)
        site = Site(database.app_url, folder)
        yield site
        site.app.close()
