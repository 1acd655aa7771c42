"""The intake as its users meet it: HTTP on a real socket, a real Postgres, and the queue worked off by hand."""

import json
import time
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import text
from tests.builders import application
from tests.builders.clients import a_client
from tests.builders.intake import a_registration, recorded, signed
from tests.builders.plans import a_call
from tests.builders.policy import the_engine
from tests.builders.queues import a_queue
from tests.builders.rates import unlimited
from tests.builders.serving import served

from carapulse.adapters.postgres.calendar import PostgresCalendar
from carapulse.adapters.postgres.engine import connect
from carapulse.adapters.postgres.sources import PostgresSourceDirectory
from carapulse.adapters.sealing import AesGcmSealer
from carapulse.approvals.envelopes import ApprovalEnvelopes
from carapulse.bootstrap.glancing import PostgresGlances
from carapulse.bootstrap.work import Work
from carapulse.identity.issuer import DevelopmentIssuer
from carapulse.identity.refusals import RefusalLog
from carapulse.identity.tokens import TokenVerifier
from carapulse.intake.consumers import consumers
from carapulse.intake.messages import PlanAlert, SortAlerts
from carapulse.intake.model import source_actor
from carapulse.intake.planning import plan_alert
from carapulse.intake.sorting import sort_alerts
from carapulse.kernel.clock import SystemClock
from carapulse.messaging import Consumers
from carapulse.runtime.areas import ROUTERS
from carapulse.runtime.dispatch import Dispatcher, call_of
from carapulse.workflows.book import Workflows
from carapulse.workflows.shelf import Shelf


class Application:
    """The parts of the composition root that the intake needs, and those that planning needs."""

    def __init__(self, url, folder, policy=None):
        self.clock = SystemClock()
        self.policy = policy
        self.catalogue = application.CATALOGUE
        self.workflows = Shelf(WORKFLOWS, self.begin)
        self.envelopes = ApprovalEnvelopes()
        self.settings = application.Chosen()
        self.rates = unlimited()
        self.engine = connect(url)
        self.glances = PostgresGlances(self.engine)
        self.issuer = DevelopmentIssuer.load_or_make(folder)
        self.tokens = TokenVerifier([self.issuer.issuer], self.clock)
        self.refusals = RefusalLog(self.begin, self.clock)
        self.sealer = AesGcmSealer.load_or_make(folder)
        self.source_directory = PostgresSourceDirectory(self.engine)
        self.calendar = PostgresCalendar(application.ByEngine(self.engine))

    def begin(self, call):
        return Work(self.engine, call, self.clock)

    def ready(self):
        return {"database": True}


WORKFLOWS = Workflows.load([Path(application.LAMPS).with_name("relight.yaml")])
SORTING = Consumers()
SORTING.on(SortAlerts)(sort_alerts)


class Site:
    """One installation: administrators and senders on its outside, its queue and its database on its inside."""

    def __init__(self, application, port, handlers):
        self.application = application
        self.http = a_client(f"http://127.0.0.1:{port}")
        self.dispatcher = Dispatcher.of([handlers])

    def ask(self, method, path, *, by="ada", roles=("admin",), tenant="acme", headers=None, **rest):
        token = self.application.issuer.mint(
            tenant=tenant, subject=by, roles=frozenset(roles), lifetime=timedelta(hours=1)
        )
        return self.http.request(method, path, headers={"Authorization": f"Bearer {token}", **(headers or {})}, **rest)

    def change(self, method, path, **rest):
        """Change what is there now, or make what isn't."""
        tenant = rest.get("tenant", "acme")
        etag = self.ask("GET", path, tenant=tenant).headers.get("ETag")
        return self.ask(method, path, headers={"If-Match": etag} if etag else {"If-None-Match": "*"}, **rest)

    def register(self, name="cluster-alerts", *, tenant="acme", **given):
        body = a_registration(**given).model_dump(mode="json")
        return self.change("PUT", f"/v1/sources/{name}", tenant=tenant, json=body)

    def send(self, source, body, headers=None, **about):
        given = headers if headers is not None else signed(body, **about)
        return self.http.post(source["source"]["path"], content=body, headers=given)

    def report(self, source, name="firing_three_services", **about):
        about.setdefault("webhook_id", f"msg_{time.monotonic_ns()}")
        return self.send(source, recorded(name), secret=source["secret"], **about)

    def work_off(self):
        """Handle what waits in the queue, and what comes of it, until nothing is left; return how much it was."""
        queue, handled = a_queue(self.application.engine), 0
        while deliveries := queue.take(["planning"], 10, visibility_s=60):
            for delivery in deliveries:
                call = call_of(delivery.tenant, delivery.actor, delivery.trace, self.application.clock.now())
                if delivery.type in self.dispatcher.handlers:
                    self.dispatcher.handle(delivery.type, delivery.body, call, self.application)
                queue.ack(delivery)
                handled += 1
        return handled

    def alerts(self, tenant="acme", **filters):
        return self.ask("GET", "/v1/alerts", tenant=tenant, params=filters).json()["data"]

    def rows(self, sql, tenant="acme", **parameters):
        with self.application.engine.begin() as connection:
            connection.execute(text("SELECT set_config('carapulse.tenant', :tenant, true)"), {"tenant": tenant})
            return connection.execute(text(sql), parameters).all()

    def events(self, stream, tenant="acme"):
        return [
            (row.type, row.body)
            for row in self.rows("SELECT type, body FROM events WHERE stream = :s ORDER BY seq", tenant, s=stream)
        ]

    def reported(self, name="firing_one_service", **given):
        """Report to a new source and work off what comes of it."""
        source = self.register(**given).json()
        self.report(source, name)
        self.work_off()
        return source

    def again(self, alert):
        """Hand the message about an alert to its handler once more, as a queue may."""
        call = a_call().model_copy(update={"actor": source_actor("cluster-alerts")})
        plan_alert(PlanAlert(alert_id=alert["id"]), call, self.application)

    def the_alert(self):
        (alert,) = self.alerts()
        return alert

    def plans(self):
        return self.ask("GET", "/v1/plans").json()["data"]

    def version_of(self, plan_id):
        (row,) = self.rows("SELECT body FROM plan_versions WHERE plan_id = :id", id=plan_id)
        return row.body

    def kinds(self, source):
        return [kind for kind, _ in self.events(source["source"]["id"])]

    def everything(self):
        """Return all that the database holds of the intake, the log and the queue, as text."""
        tables = ("sources", "source_credentials", "webhook_deliveries", "alerts", "events", "messages")
        return "".join(json.dumps([str(tuple(row)) for row in self.rows(f"SELECT * FROM {each}")]) for each in tables)


@contextmanager
def opened(database, folder, handlers, policy=None):
    application = Application(database.app_url, folder, policy)
    with served(application, ROUTERS) as port:
        site = Site(application, port, handlers)
        yield site
        site.http.close()
    application.engine.dispose()


@pytest.fixture
def site(database, tmp_path):
    """Give the test an installation whose workers look into what is reported, and plan nothing."""
    with opened(database, tmp_path, SORTING) as site:
        yield site


@pytest.fixture(scope="session")
def policy():
    return the_engine()


@pytest.fixture
def planning(database, tmp_path, policy):
    """Give the test an installation that plans, judged by the shipped policy."""
    with opened(database, tmp_path, consumers, policy) as site:
        yield site
