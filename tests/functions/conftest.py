"""One installation with a database and keys of its own, whose functions run in processes of their own."""

import json
import threading
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from sqlalchemy import text
from tests.builders.shipped import the_shipped
from tests.world.issuer import an_issuer, an_issuers_file
from tests.world.pubsub import a_pubsub
from tests.world.sqs import an_sqs

from carapulse.bootstrap import make_app
from carapulse.kernel.call import Actor, Call
from carapulse.settings import Settings


class FixedClock:
    """A clock that stands still."""

    def __init__(self, at):
        self.at = at

    def now(self):
        return self.at


class Shop(ThreadingHTTPServer):
    """A service that answers, and counts how often it was asked."""

    daemon_threads = True
    asked = 0

    def __init__(self, *where):
        super().__init__(*where)
        self.open, self.entered = threading.Event(), threading.Event()
        """Until it is open, whoever comes in waits."""
        self.open.set()


BOARDS = b'[{"uid": "b1", "title": "Shop"}]'
"""What it answers as a Grafana, whether asked for folders or for dashboards."""


class _ShopRequest(BaseHTTPRequestHandler):
    server: Shop

    def do_GET(self):
        self.server.asked += 1
        self.server.entered.set()
        self.server.open.wait(60)
        self.send_response(200)
        self.end_headers()
        self.wfile.write(BOARDS if self.path.startswith("/api/search") else b"open")

    def handle(self):
        with suppress(BrokenPipeError):  # whoever asked was ended
            super().handle()

    def log_message(self, *_):
        pass


@contextmanager
def a_shop():
    shop = Shop(("127.0.0.1", 0), _ShopRequest)
    threading.Thread(target=shop.serve_forever, daemon=True).start()
    yield shop
    shop.shutdown()
    shop.server_close()


class Installation:
    """What all functions of one installation share."""

    def __init__(self, database, folder, shop, issuer, queues, state_machine=None):
        self.shop = shop
        self.issuer = issuer
        self.queues = queues
        folder.mkdir(mode=0o700)
        connections = folder / "connections.yaml"
        reach = {
            "tool": "http",
            "name": "shop",
            "match": {"tenant": "acme"},
            "may_reach": [f"127.0.0.1:{shop.server_port}"],
        }
        boards = {
            "tool": "grafana",
            "name": "boards",
            "match": {"tenant": "acme"},
            "base_url": f"http://127.0.0.1:{shop.server_port}",
        }
        connections.write_text(json.dumps({"connections": [reach, boards]}))
        self.environment = {
            "CARAPULSE_DATA_DIR": str(folder),
            "CARAPULSE_DATABASE_URL": database.app_url,
            "CARAPULSE_CONNECTIONS_FILE": str(connections),
            "CARAPULSE_ISSUERS_FILE": str(an_issuers_file(folder, issuer.trusted())),
            "CARAPULSE_QUEUE": queues.name,
            "CARAPULSE_QUEUE_ADDRESSES": json.dumps(queues.addresses),
            **queues.environment,
        }
        carried = {}
        if state_machine is not None:
            carried = {"orchestrator": "step-functions", "state_machine": state_machine}
            self.environment |= {f"CARAPULSE_{name.upper()}": value for name, value in carried.items()}
        self._url = database.app_url
        broker = {"queue": queues.name, "queue_addresses": queues.addresses}
        self._settings = Settings(
            data_dir=folder, database_url=database.app_url, connections_file=connections, **broker, **carried
        )
        self.app = self.application()

    def application(self, at=None):
        """Return the application in this process, now or at another moment."""
        return make_app(self._settings, self._url, FixedClock(at) if at else None, the_shipped())

    def call(self, who="ada", *roles, at=None):
        actor = Actor(id=who, roles=frozenset(roles or ("operator",)))
        return Call(actor=actor, tenant="acme", at=at or datetime.now(UTC), trace="1" * 32)

    def token(self, *roles):
        return self.issuer.mint("acme", "ada", frozenset(roles), timedelta(hours=1))

    def envelopes(self, queue):
        """Take what the broker holds for a function, which is what was published when it was committed."""
        broker = self.queues.broker()
        taken = broker.receive(queue, 10, 60, 1 if self.queues.name == "pubsub" else 0)
        for each in taken:
            broker.settle(each)
        return [each.text for each in taken]

    def later(self):
        """Let everything that waits for its time be due, and published."""
        self.rows("UPDATE messages SET available_at = clock_timestamp() RETURNING id")
        self.app.relay.run()

    def rows(self, query, **parameters):
        with self.app.begin(self.call()) as work:
            return work.connection.execute(text(query), parameters).all()

    def happened(self, stream):
        """Return the types of a stream's events, in order."""
        return [each.type for each in self.rows("SELECT type FROM events WHERE stream = :s ORDER BY seq", s=stream)]


@contextmanager
def an_installation(database, folder, queues, state_machine=None):
    with a_shop() as shop, an_issuer() as issuer:
        one = Installation(database, folder, shop, issuer, queues, state_machine)
        yield one
        one.app.close()


@pytest.fixture
def installation(database, tmp_path):
    with (
        an_sqs(database.name.replace("_", "-")) as queues,
        an_installation(database, tmp_path / "data", queues) as one,
    ):
        yield one


@pytest.fixture
def at_google(database, tmp_path):
    with a_pubsub(database.name) as queues, an_installation(database, tmp_path / "data", queues) as one:
        yield one
