"""AWS KMS as far as an Ed25519 key goes, behind a real port: moto knows no such key, and MiniStack no Ed25519ph."""

import base64
import json
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha512
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from tests.world.aws import NOBODY

from carapulse.audit.verifier import _BASE, _P, _add

ARN = "arn:aws:kms:eu-central-1:123456789012:key/"
ALIAS = "alias/evidence"
_DOMAIN = b"SigEd25519 no Ed25519 collisions\x01\x00"
_ORDER = 2**252 + 27742317777372353535851937790883648493


def prehashed(seed: bytes, digest: bytes) -> bytes:
    """Sign the SHA-512 of a message by Ed25519ph (RFC 8032 section 5.1.6)."""
    public = Ed25519PrivateKey.from_private_bytes(seed).public_key().public_bytes_raw()
    expanded = sha512(seed).digest()
    scalar = int.from_bytes(expanded[:32], "little") & ((1 << 254) - 8) | 1 << 254
    once = int.from_bytes(sha512(_DOMAIN + expanded[32:] + digest).digest(), "little") % _ORDER
    point = _encoded(_times(once))
    hashed = int.from_bytes(sha512(_DOMAIN + point + public + digest).digest(), "little")
    return point + ((once + hashed * scalar) % _ORDER).to_bytes(32, "little")


def _times(scalar: int) -> tuple[int, int, int, int]:
    total, power = (0, 1, 1, 0), _BASE
    while scalar:
        total = _add(total, power) if scalar & 1 else total
        power, scalar = _add(power, power), scalar >> 1
    return total


def _encoded(point: tuple[int, int, int, int]) -> bytes:
    inverse = pow(point[2], -1, _P)
    x, y = (part * inverse % _P for part in point[:2])
    return (y | (x & 1) << 255).to_bytes(32, "little")


class Kms(ThreadingHTTPServer):
    """Keys, and an alias that names one of them."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Request)
        self.seeds: dict[str, bytes] = {}
        self.asked: list[dict[str, Any]] = []
        self.disabled = False
        self.rotate()

    @property
    def environment(self) -> dict[str, str]:
        """What a process must have in its environment to find them."""
        return NOBODY | {"AWS_ENDPOINT_URL_KMS": f"http://127.0.0.1:{self.server_port}"}

    def rotate(self) -> None:
        """Point the alias to a new key."""
        self.current = f"{ARN}{len(self.seeds)}"
        self.seeds[self.current] = os.urandom(32)

    def answer(self, action: str, asked: dict[str, Any]) -> dict[str, Any]:
        self.asked.append({"action": action, **asked})
        name = self.current if asked["KeyId"] == ALIAS else asked["KeyId"]
        if name not in self.seeds:
            raise KeyError("NotFoundException")
        if self.disabled:
            raise KeyError("DisabledException")
        if action == "GetPublicKey":
            private = Ed25519PrivateKey.from_private_bytes(self.seeds[name])
            encoded = private.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
            return {"KeyId": name, "KeySpec": "ECC_NIST_EDWARDS25519", "PublicKey": base64.b64encode(encoded).decode()}
        message = base64.b64decode(asked["Message"])
        signature = self._signed(self.seeds[name], message, (asked["SigningAlgorithm"], asked["MessageType"]))
        return {"KeyId": name, "Signature": base64.b64encode(signature).decode()}

    def _signed(self, seed: bytes, message: bytes, how: tuple[str, str]) -> bytes:
        if how == ("ED25519_SHA_512", "RAW") and len(message) <= 4096:
            return Ed25519PrivateKey.from_private_bytes(seed).sign(message)
        if how == ("ED25519_PH_SHA_512", "DIGEST") and len(message) == 64:
            return prehashed(seed, message)
        raise KeyError("ValidationException")


class _Request(BaseHTTPRequestHandler):
    server: Kms

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        try:
            status, said = 200, self.server.answer(self.headers["X-Amz-Target"].rpartition(".")[2], asked)
        except KeyError as error:
            status, said = 400, {"__type": error.args[0], "message": "no"}
        body = json.dumps(said).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/x-amz-json-1.1")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        pass


@contextmanager
def a_kms() -> Iterator[Kms]:
    """Serve keys until the test is done, and let the environment say where."""
    server = Kms()
    threading.Thread(target=server.serve_forever, daemon=True).start()
    before = dict(os.environ)
    os.environ |= server.environment
    try:
        yield server
    finally:
        os.environ.clear()
        os.environ |= before
        server.shutdown()
        server.server_close()
