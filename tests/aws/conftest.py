"""One deployment for all tests of it, with a real Postgres and an outside world beside it."""

import json
import tempfile
import threading
from contextlib import contextmanager
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from uuid import uuid4

import pytest
from infra.aws.template import functions
from tests.aws.cloud import Cloud, a_cloud
from tests.world.issuer import an_issuer, an_issuers_file

from carapulse.adapters.embedded.database import APP, OWNER, prepare
from carapulse.adapters.embedded.postgres import over_socket

DATABASE = "deployed"
# Each process of a function unzips the package for itself: in memory, where there is such a folder.
_MEMORY = Path("/dev/shm")


class Outside(ThreadingHTTPServer):
    """A shop that is open or not, and a Grafana that keeps annotations."""

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), _OutsideRequest)
        self.says = "open"
        self.asked = 0
        self.annotations = {}
        self.answers = threading.Event()
        """Until it is set, the shop makes whoever asks wait."""
        self.answers.set()

    @property
    def address(self):
        return f"127.0.0.1:{self.server_port}"


class _OutsideRequest(BaseHTTPRequestHandler):
    server: Outside

    def do_GET(self):
        if self.path.startswith("/api/annotations"):
            self.answer([{"id": each, "text": text, "tags": []} for each, text in self.server.annotations.items()])
            return
        self.server.asked += 1
        self.server.answers.wait(20)
        self.answer(self.server.says)

    def do_POST(self):
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        number = len(self.server.annotations) + 1
        self.server.annotations[number] = asked["text"]
        self.answer({"id": number, "message": "Annotation added"})

    def do_DELETE(self):
        self.server.annotations.pop(int(self.path.rpartition("/")[2]), None)
        self.answer({"message": "Annotation deleted"})

    def answer(self, value):
        body = value.encode() if isinstance(value, str) else json.dumps(value).encode()
        kind = "text/plain" if isinstance(value, str) else "application/json"
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


class Deployment:
    """What a test does with the installation: as people over its API, as its operator in its database and queues."""

    def __init__(self, cloud: Cloud, outside, issuer, postgres):
        self.cloud = cloud
        self.outside = outside
        self._issuer = issuer
        self._postgres = postgres
        self.http = cloud.api()

    def ask(self, method, path, body=None, *, who="ada", role="operator", if_match=None):
        token = self._issuer.mint("acme", who, frozenset({role}), timedelta(hours=1))
        headers = {"Authorization": f"Bearer {token}", "Idempotency-Key": str(uuid4())}
        headers |= {"If-Match": if_match} if if_match else {}
        return self.http.request(method, path, json=body, headers=headers)

    def rows(self, query):
        """Ask the database as somebody whom no wall stops."""
        connection = over_socket(self._postgres.socket, DATABASE)
        try:
            return connection.run(query)
        finally:
            connection.close()


def settings(folder, outside, issuer, postgres):
    """Return what stands for a database that this cloud has none of, and for the world outside."""
    connections = folder / "connections.yaml"
    shop = {"tool": "http", "name": "shop", "match": {"tenant": "acme"}, "may_reach": [outside.address]}
    grafana = {"tool": "grafana", "name": "notes", "match": {"tenant": "acme"}, "base_url": f"http://{outside.address}"}
    connections.write_text(json.dumps({"connections": [shop, grafana]}))
    return {
        "CARAPULSE_ISSUERS_FILE": str(an_issuers_file(folder, issuer.trusted())),
        "CARAPULSE_CONNECTIONS_FILE": str(connections),
        "CARAPULSE_DATABASE_URL": postgres.url(APP, DATABASE),
    }


@contextmanager
def an_outside():
    outside = Outside()
    threading.Thread(target=outside.serve_forever, daemon=True).start()
    yield outside
    outside.shutdown()
    outside.server_close()


@pytest.fixture(scope="module")
def deployment(postgres):
    prepare(postgres, DATABASE)
    with (
        tempfile.TemporaryDirectory(prefix="carapulse-aws-", dir=_MEMORY if _MEMORY.is_dir() else None) as name,
        an_issuer() as issuer,
        an_outside() as outside,
        a_cloud(Path(name)) as cloud,
    ):
        cloud.deploy()
        given = settings(Path(name), outside, issuer, postgres)
        for each in functions():
            cloud.replace_environment(each, **given)
        cloud.replace_environment("migrate", CARAPULSE_DATABASE_OWNER_URL=postgres.url(OWNER, DATABASE))
        for each in ("live", "pusher"):
            cloud.replace_environment(each, CARAPULSE_LIVE_GATEWAY=cloud.sockets("http"))
        made = Deployment(cloud, outside, issuer, postgres)
        yield made
        made.http.close()
