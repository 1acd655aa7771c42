"""Toolboxes, invocations and the small servers that tests ask things of."""

import contextlib
import json
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from carapulse.adapters.processes.runner import SupervisedPrograms
from carapulse.adapters.secrets.local import LocalSecrets
from carapulse.adapters.web.client import HttpxWeb
from carapulse.integrations import builtin_manifests
from carapulse.kernel.context import Context
from carapulse.tools.catalogue import Catalogue
from carapulse.tools.connections import Connection, Connections
from carapulse.tools.model import Invocation, Mode, Outcome
from carapulse.tools.toolbox import Toolbox

BUILTIN = Catalogue.load(builtin_manifests())


def a_connection(tool: str, **fields: Any) -> Connection:
    """Return a connection of tenant acme in dev."""
    return Connection.model_validate({"tool": tool, "name": "test", "match": {"tenant": "acme"}, **fields})


def a_toolbox(
    *connections: Connection, environment: dict[str, str] | None = None, catalogue: Catalogue = BUILTIN
) -> Toolbox:
    """Return a toolbox with everything real, and only these connections."""
    secrets = LocalSecrets(environment or {})
    return Toolbox(catalogue, Connections(connections), SupervisedPrograms(), HttpxWeb(), secrets)


def an_invocation(name: str, value: dict[str, Any], **fields: Any) -> Invocation:
    """Return an invocation of `tool.action` by tenant acme in dev."""
    tool, action = name.split(".", 1)
    place = Context.model_validate({"environment": "dev", **fields.pop("context", {})})
    return Invocation(tool=tool, action=action, input=value, context=place, tenant="acme", **fields)


@dataclass
class Runs:
    """Runs invocations in a toolbox and keeps what was heard."""

    box: Toolbox
    lines: list[str] = field(default_factory=list)
    cancelled: threading.Event = field(default_factory=threading.Event)

    def __call__(self, invocation: Invocation, deadline_s: float = 30) -> Outcome:
        return self.box.run(invocation, on_line=self.lines.append, cancelled=self.cancelled, deadline_s=deadline_s)

    def captured(self, invocation: Invocation) -> Invocation:
        """Return the invocation with what the capture before it sees."""
        seen = self(invocation.model_copy(update={"mode": Mode.CAPTURE}))
        return invocation.model_copy(update={"captured": seen.output})


@dataclass
class Exchange:
    """One request that a server got."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """The body as JSON."""
        return json.loads(self.body)

    @property
    def form(self) -> dict[str, str]:
        """The body as a form."""
        return dict(parse_qsl(self.body.decode(), keep_blank_values=True))


@dataclass
class Reply:
    """What a server answers; bytes are sent as they are, anything else as JSON. `hold_s`: the end comes that late."""

    body: Any = None
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    hold_s: float = 0

    @property
    def data(self) -> bytes:
        """The bytes of the body."""
        return (
            self.body if isinstance(self.body, bytes) else b"" if self.body is None else json.dumps(self.body).encode()
        )


Answers = Callable[[Exchange], Reply] | dict[tuple[str, str], Reply]


@dataclass
class Server:
    """A server on loopback, and what it was asked."""

    port: int
    exchanges: list[Exchange]
    scheme: str = "http"

    @property
    def url(self) -> str:
        """Its address."""
        return f"{self.scheme}://127.0.0.1:{self.port}"

    @property
    def last(self) -> Exchange:
        """The last request."""
        return self.exchanges[-1]


def a_certificate(folder: Path) -> Path:
    """Return a file with a key and a certificate for localhost that signs itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    names = x509.SubjectAlternativeName([x509.DNSName("localhost"), x509.IPAddress(ip_address("127.0.0.1"))])
    builder = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key()).serial_number(1)
    )
    builder = builder.not_valid_before(datetime(2020, 1, 1, tzinfo=UTC)).not_valid_after(
        datetime(2100, 1, 1, tzinfo=UTC)
    )
    signed = builder.add_extension(names, critical=False).sign(key, hashes.SHA256())
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (folder / "certificate.pem").write_bytes(signed.public_bytes(Encoding.PEM))
    (folder / "both.pem").write_bytes(pem + signed.public_bytes(Encoding.PEM))
    return folder / "certificate.pem"


@contextmanager
def a_server(answers: Answers, certificate: Path | None = None) -> Iterator[Server]:
    """Serve answers by (method, path), or by a function of the request; anything else is a 404."""
    exchanges: list[Exchange] = []

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def answer(self) -> None:
            parts = urlsplit(self.path)
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            headers = {name.lower(): value for name, value in self.headers.items()}
            exchange = Exchange(self.command, parts.path, dict(parse_qsl(parts.query)), headers, body)
            exchanges.append(exchange)
            reply = (
                answers(exchange)
                if callable(answers)
                else answers.get((self.command, parts.path), Reply({"message": "not found"}, 404))
            )
            self.send_response(reply.status)
            for name, value in {"Content-Type": "application/json", **reply.headers}.items():
                self.send_header(name, value)
            if reply.hold_s:
                return self.hold(reply)
            self.send_header("Content-Length", str(len(reply.data)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(reply.data)
            return None

        def hold(self, reply: Reply) -> None:
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            self.wfile.write(b"%x\r\n%s\r\n" % (len(reply.data), reply.data))
            time.sleep(reply.hold_s)
            with contextlib.suppress(OSError):  # whoever asked may be gone by now
                self.wfile.write(b"0\r\n\r\n")

        def __getattr__(self, name: str) -> Any:
            if name.startswith("do_"):
                return self.answer
            raise AttributeError(name)

        def log_message(self, *arguments: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        if certificate is not None:
            trust = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            trust.load_cert_chain(certificate.with_name("both.pem"))
            server.socket = trust.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield Server(server.server_address[1], exchanges, "https" if certificate else "http")
        finally:
            server.shutdown()
            thread.join()


def a_manifest(folder: Path, text: str) -> Path:
    """Return the file of a manifest with this text."""
    path = folder / "manifest.yaml"
    path.write_text(text)
    return path
