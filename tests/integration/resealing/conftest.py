"""One installation whose processes have other sealing keys each, as they have while a key is changed."""

from contextlib import ExitStack
from dataclasses import replace
from datetime import timedelta

import anyio
import httpx
import pytest
from tests.builders.application import LAMPS, a_policy
from tests.builders.chat import SECRET, TEAM
from tests.builders.intake import a_registration, recorded, signed
from tests.builders.keys import keyed
from tests.builders.plans import GLANCE, SWITCH
from tests.conftest import a_folder
from tests.world.by_hand import Played

from carapulse.bootstrap import make_app
from carapulse.chatops.messages import TellChat
from carapulse.chatops.model import Reply
from carapulse.chatops.replying import address_purpose
from carapulse.identity.issuer import DevelopmentIssuer
from carapulse.integrations import builtin_manifests
from carapulse.kernel.call import Actor, Call
from carapulse.kernel.clock import SystemClock
from carapulse.orchestration.messages import AttemptAsked, MachineAsked
from carapulse.orchestration.model import Asked, Change, StepOf, Wait
from carapulse.orchestration.ringing import PURPOSE, ring
from carapulse.resealing.places import PLACES
from carapulse.resealing.usecases import reseal_everything
from carapulse.runtime.areas import ROUTERS
from carapulse.runtime.http.app import make_app as make_http
from carapulse.settings import Settings

POLICY = a_policy()
TOOLS = [*builtin_manifests(), LAMPS]


class Process:
    """One process of the installation, with its own newest key and its own list of former ones."""

    def __init__(self, site, newest, former):
        place, *others = (f"file:{site.folder / name}" for name in (newest, *former))
        self.site = site
        self.settings = Settings(data_dir=site.folder, sealing_key=place, former_sealing_keys=tuple(others))
        app = make_app(self.settings, site.url, site.clock, tools=TOOLS, policy=POLICY)
        self.machines = Played()
        self.app = replace(app, configured_machines=self.machines)
        self.http = make_http(app, ROUTERS)

    def ask(self, method, path, body=None, *, bearer=None, tenant="acme", **headers):
        given = {"authorization": f"Bearer {bearer or self.site.token(tenant)}", **keyed(method), **headers}
        return self._send(method, path, headers=given, json=body)

    def _send(self, method, path, **given):
        async def send():
            transport = httpx.ASGITransport(self.http)
            async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
                return await client.request(method, path, **given)

        return anyio.run(send)

    def put(self, path, body, tenant="acme"):
        answer = self.ask("PUT", path, body, tenant=tenant, **{"if-none-match": "*"})
        assert answer.status_code == 201, answer.text
        return answer.json()

    def an_api_key(self, name, tenant="acme"):
        until = (self.site.clock.now() + timedelta(days=30)).isoformat()
        body = {"name": name, "kind": "service", "roles": ["operator"], "expires_at": until}
        return self.ask("POST", "/v1/api-keys", body, tenant=tenant).json()["text"]

    def me(self, text):
        return self.ask("GET", "/v1/me", bearer=text).status_code

    def a_source(self, name, tenant="acme"):
        return self.put(f"/v1/sources/{name}", a_registration().model_dump(mode="json"), tenant)

    def report(self, source, webhook_id):
        body = recorded("firing_one_service")
        headers = signed(body, webhook_id=webhook_id, secret=source["secret"])
        return self._send("POST", source["source"]["path"], headers=headers, content=body).status_code

    def plan(self, key):
        steps = [{**SWITCH, "input": {"lamp": key, "on": True}}, {**GLANCE, "input": {"lamp": key}}]
        body = {"summary": "Light the hall", "context": {"environment": "dev"}, "steps": steps}
        return self.ask("POST", "/v1/plans", body, **keyed("POST", key)).json()

    def stand(self, plan_id, token):
        """Let the machine of a plan stand still, and two messages and a reply wait, with what is sealed in each."""
        call, sealed = self.site.call(), self.app.sealer.seal(token, PURPOSE)
        until, step = self.site.clock.now(), StepOf(execution_id="exec_1", step_id="s1", phase="run")
        change = Change(tenant="acme", plan_id=plan_id, generation=1, trace="0" * 32)
        address = self.app.sealer.seal("https://hooks.example/1", address_purpose("chat_1", "acme"))
        with self.app.begin(call) as work:
            work.machines.stand(
                Wait(id=f"wait_{token}", plan_id=plan_id, asked=Asked.AWAIT_START, token=sealed, until=until)
            )
            work.send(MachineAsked(plan_id=plan_id, change=change, asked=Asked.DECIDE, token=sealed))
            work.send(AttemptAsked(execution_id="exec_1", change=change, step=step, token=sealed))
            work.send(TellChat(workspace_id="chat_1", sealed_address=address, until=until, reply=Reply(title="done")))

    def ring(self, plan_id):
        """Let whatever machine of a plan stands still go on, and return by which tokens."""
        ring(plan_id, self.site.call(), self.app)
        return [token for token, _ in self.machines.told]

    def reseal(self):
        return reseal_everything(self.site.call("installation"), self.app)

    def opened(self, tenant="acme"):
        """Return what every place of a tenant holds, in clear."""
        with self.app.begin(self.site.call(tenant)) as work:
            return {
                name: sorted(
                    self.app.sealer.open(row.sealed, place.purpose(tenant, row.facts))
                    for row in work.sealed_rows.others(place, "-", None, 1000)
                )
                for name, place in PLACES.items()
            }


class Site:
    """The database and the key files, and whoever makes processes that share them."""

    def __init__(self, database, folder, stack):
        self.database, self.url, self.folder, self.clock = database, database.app_url, folder, SystemClock()
        self.issuer = DevelopmentIssuer.load_or_make(folder)
        self._stack = stack
        for name in ("k1", "k2", "k3"):
            (folder / name).write_text(name[1] * 64)
            (folder / name).chmod(0o600)

    def process(self, newest, *former):
        one = Process(self, newest, former)
        self._stack.callback(one.app.close)
        return one

    def token(self, tenant):
        return self.issuer.mint(tenant, "ada", frozenset({"admin"}), timedelta(hours=1))

    def call(self, tenant="acme"):
        return Call(actor=Actor(id="ada"), tenant=tenant, at=self.clock.now(), trace="0" * 32)

    def filled(self, process, tag="a"):
        """Have one row at least in every place that there is, and return what survives a change of the key."""
        plan = process.plan(f"{tag}-plan")
        source = process.a_source(f"{tag}-source")
        process.a_source(f"{tag}-source", tenant="globex")
        process.put(
            f"/v1/channels/{tag}-channel",
            {"kind": "webhook", "url": "https://hooks.example/", "events": ["ApprovalRequested"]},
        )
        process.put(f"/v1/chat/workspaces/{tag}", {"kind": "slack", "team_id": TEAM, "signing_secret": SECRET})
        process.stand(plan["plan_id"], f"{tag}-token")
        return plan, source, process.an_api_key(f"{tag}-key")

    def rows(self, statement):
        with self.database.as_superuser() as connection:
            return [tuple(row) for row in connection.run(statement)]


@pytest.fixture
def site(database_in_turn):
    with ExitStack() as stack:
        folder = stack.enter_context(a_folder())
        yield Site(database_in_turn, folder, stack)
