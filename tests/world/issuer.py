"""An identity provider on loopback: discovery, keys that rotate, tokens, the device flow, and everything going wrong."""

import json
import secrets
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

from joserfc import jwt
from joserfc.jwk import ECKey, Key, OKPKey, RSAKey

AUDIENCE = "carapulse"
DISCOVERY = "/.well-known/openid-configuration"
JWKS = "/jwks"
DEVICE = "/device"
TOKEN = "/token"
Answer = tuple[int, dict[str, str], bytes]


def a_key(alg: str) -> Key:
    """Return a new private key for an algorithm; RSA keys take a while."""
    match alg:
        case "RS256" | "PS256":
            return RSAKey.generate_key(2048)
        case "ES256":
            return ECKey.generate_key("P-256")
        case _:
            return OKPKey.generate_key("Ed25519")


class Issuer:
    """What the provider knows, and what a test can make it do."""

    def __init__(self, alg: str = "ES256") -> None:
        self.alg = alg
        self.url = ""
        self.asked: Counter[str] = Counter()
        self.answers: dict[str, Answer] = {}
        """What a path answers instead of the truth."""
        self.delay_s = 0.0
        self.free = threading.Event()
        """Until it is set, nothing is answered."""
        self.free.set()
        self.cache_control = "max-age=300"
        self.said_issuer: str | None = None
        self.jwks_uri: str | None = None
        self.more_keys: list[Any] = []
        self.keys: list[Key] = []
        self.device: dict[str, Any] = {"expires_in": 600, "interval": 0}
        self.token_errors: list[str] = []
        """What the token endpoint says, in order, before it gives a token."""
        self.granted: dict[str, Any] = {}
        """Claims of the person who answers at the device's page."""
        self.lives_s = 3600
        self.refresh_tokens: set[str] = set()
        self.forms: list[dict[str, str]] = []
        self.rotate()

    def rotate(self) -> None:
        """Sign with a new key from now on, and publish only that."""
        key = a_key(self.alg)
        key.ensure_kid()
        self.keys = [key]

    def go_down(self) -> None:
        """Answer 503 to everything, until `come_back`."""
        self.answers = {each: (503, {}, b"") for each in (DISCOVERY, JWKS, DEVICE, TOKEN)}

    def come_back(self) -> None:
        """Tell the truth again."""
        self.answers = {}

    def signed(self, claims: dict[str, Any], key: Key | None = None, **header: Any) -> str:
        """Return a token with these claims and no others."""
        chosen = key or self.keys[-1]
        head = {"alg": self.alg, "kid": chosen.kid, "typ": "at+jwt", **header}
        return jwt.encode({name: each for name, each in head.items() if each}, claims, chosen, algorithms=[self.alg])

    def claims(self, **changed: Any) -> dict[str, Any]:
        """Return what a good token says; None leaves a claim out."""
        now = int(time.time())
        good = {"iss": self.url, "aud": AUDIENCE, "sub": "ada", "iat": now, "exp": now + self.lives_s}
        return {name: each for name, each in {**good, "org": "acme", **changed}.items() if each is not None}

    def mint(self, tenant: str, subject: str, roles: frozenset[str], lifetime: timedelta, kind: str = "person") -> str:
        """Return a token, as the development issuer would."""
        until = int(time.time() + lifetime.total_seconds())
        return self.signed(self.claims(org=tenant, sub=subject, groups=sorted(roles), kind=kind, exp=until))

    def trusted(self, **changed: Any) -> dict[str, Any]:
        """Return this issuer's entry in a file of issuers; its groups are named as our roles."""
        names = ("viewer", "operator", "approver", "sre", "auditor", "security", "admin", "service", "agent")
        kinds = ("person", "service", "agent")
        good = {
            "issuer": self.url,
            "audience": AUDIENCE,
            "algorithms": [self.alg],
            "tenants": {"claim": "org", "allowed": ["acme"]},
            "roles": {"claim": "groups", "mapping": {each: each for each in names}},
            "kind": {"claim": "kind", "values": {each: each for each in kinds}},
        }
        return {**good, **changed}

    def answer(self, path: str, form: dict[str, str]) -> Answer:
        """Return what is said at a path."""
        self.asked[path] += 1
        self.forms += [form] if form else []
        time.sleep(self.delay_s)
        self.free.wait(30)
        if path in self.answers:
            return self.answers[path]
        match path:
            case "/.well-known/openid-configuration":
                return said(200, self._discovery())
            case "/jwks":
                published = [*(each.as_dict(private=False) for each in self.keys), *self.more_keys]
                return said(200, {"keys": published}, {"Cache-Control": self.cache_control})
            case "/device":
                return said(200, self._device())
            case "/token":
                return self._token(form)
            case _:
                return said(404, {})

    def _discovery(self) -> dict[str, Any]:
        return {
            "issuer": self.said_issuer or self.url,
            "jwks_uri": self.jwks_uri or self.url + JWKS,
            "device_authorization_endpoint": self.url + DEVICE,
            "token_endpoint": self.url + TOKEN,
        }

    def _device(self) -> dict[str, Any]:
        page = {"device_code": "device-1", "user_code": "WDJB-MJHT", "verification_uri": self.url + "/enter"}
        return {**page, **self.device}

    def _token(self, form: dict[str, str]) -> Answer:
        if self.token_errors:
            return said(400, {"error": self.token_errors.pop(0)})
        if form.get("grant_type") == "refresh_token":
            if form.get("refresh_token") not in self.refresh_tokens:
                return said(400, {"error": "invalid_grant"})
            self.refresh_tokens.discard(form["refresh_token"])
        fresh = secrets.token_urlsafe(12)
        self.refresh_tokens.add(fresh)
        token = self.signed(self.claims(**self.granted))
        told = {"access_token": token, "token_type": "Bearer", "expires_in": self.lives_s, "refresh_token": fresh}
        return said(200, told)


def said(status: int, value: object, headers: dict[str, str] | None = None) -> Answer:
    """Return an answer in JSON."""
    return status, {"Content-Type": "application/json", **(headers or {})}, json.dumps(value).encode()


class _Handler(BaseHTTPRequestHandler):
    issuer: Issuer

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def do_GET(self) -> None:
        self._serve({})

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length") or 0)).decode()
        self._serve({name: each[0] for name, each in parse_qs(body).items()})

    def _serve(self, form: dict[str, str]) -> None:
        status, headers, content = self.issuer.answer(self.path, form)
        try:
            self.send_response(status)
            for name, each in {**headers, "Content-Length": str(len(content))}.items():
                self.send_header(name, each)
            self.end_headers()
            self.wfile.write(content)
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True


@contextmanager
def an_issuer(alg: str = "ES256") -> Iterator[Issuer]:
    """Run a provider on a free loopback port."""
    issuer = Issuer(alg)
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"issuer": issuer}))
    server.daemon_threads = True
    issuer.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield issuer
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def an_issuers_file(folder: Path, *trusted: dict[str, Any]) -> Path:
    """Write a file of issuers, and return where it is."""
    path = folder / "issuers.json"
    path.write_text(json.dumps({"issuers": trusted}))
    return path
