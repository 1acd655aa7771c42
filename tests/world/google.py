"""Google's Secret Manager and Cloud Storage over REST, as their public documentation says, and the tokens for them.

Google ships no server of either. What this one does is what the reference of the two interfaces says; google-auth fetches
its tokens here as it does from Google, with a service account's own key.
"""

import base64
import hashlib
import json
import os
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from itertools import count
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from tests.builders.tools import Exchange, Reply, a_server

Answer = tuple[int, Any]
PAGE = 2  # so small that every list has pages
BUCKET = "acme-blobs"
STATUSES = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    429: "RESOURCE_EXHAUSTED",
    503: "UNAVAILABLE",
}


@dataclass
class Google:
    """What both services hold, and what goes wrong."""

    url: str = ""
    secrets: dict[str, list[bytes]] = field(default_factory=dict)
    """The versions of each secret, by `PROJECT/NAME`."""
    disabled: set[str] = field(default_factory=set)
    objects: list[dict[str, Any]] = field(default_factory=list)
    """Every generation of every object."""
    versioned: bool = True
    failing: tuple[int, str] | None = None
    """What everything answers but tokens."""
    busy: bool = False
    """Whether objects were written too often."""
    tokens: set[str] = field(default_factory=set)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _numbers: Any = field(default_factory=lambda: count(1))

    def answer(self, asked: Exchange) -> Reply:
        with self._lock:
            status, value = self._token(asked.form) if asked.path == "/token" else self._permitted(asked)
        kind = "application/octet-stream" if isinstance(value, bytes) else "application/json; charset=UTF-8"
        return Reply(value, status, {"Content-Type": kind})

    def _permitted(self, asked: Exchange) -> Answer:
        if asked.headers.get("authorization", "").removeprefix("Bearer ") not in self.tokens:
            return refused(401, "Request had invalid authentication credentials.")
        return refused(*self.failing) if self.failing else self._answered(asked)

    def _answered(self, asked: Exchange) -> Answer:
        if found := re.fullmatch(r"/v1/projects/([^/]+)/secrets/([^/]+)/versions/latest:access", asked.path):
            return self._access(f"{found[1]}/{found[2]}")
        found = re.fullmatch(r"(/upload)?/storage/v1/b/([^/]+)/o(?:/([^/]+))?", asked.path)
        if found is None or found[2] != BUCKET:
            return refused(404, "The specified bucket does not exist.")
        if found[1]:
            return self._insert(asked.headers, asked.body)
        return self._stored(asked.method, unquote(found[3]) if found[3] else None, asked.query)

    def _token(self, form: dict[str, str]) -> Answer:
        if form.get("grant_type") != "urn:ietf:params:oauth:grant-type:jwt-bearer":
            return 400, {"error": "unsupported_grant_type"}
        token = f"token-{next(self._numbers)}"
        self.tokens.add(token)
        return 200, {"access_token": token, "expires_in": 3600, "token_type": "Bearer"}

    def _access(self, name: str) -> Answer:
        versions = self.secrets.get(name)
        if not versions:
            return refused(404, f"Secret [{name}] not found or has no versions.")
        if name in self.disabled:
            return 400, {"error": {"code": 400, "message": "is in DISABLED state.", "status": "FAILED_PRECONDITION"}}
        payload = {"data": base64.b64encode(versions[-1]).decode()}
        return 200, {"name": f"{name}/versions/{len(versions)}", "payload": payload}

    def _insert(self, headers: dict[str, str], body: bytes) -> Answer:
        if self.busy:
            return refused(429, "The object exceeded the rate limit for object mutation operations.")
        boundary = headers["content-type"].partition("boundary=")[2]
        first, second, _ = body.split(f"\r\n--{boundary}".encode())
        told, content = json.loads(first.partition(b"\r\n\r\n")[2]), second.partition(b"\r\n\r\n")[2]
        if base64.b64encode(hashlib.md5(content).digest()).decode() != told["md5Hash"]:
            return refused(400, "Provided MD5 hash doesn't match calculated MD5 hash.")
        self.put(told["name"], content)
        return 200, {"generation": self.objects[-1]["generation"]}

    def put(self, name: str, content: bytes) -> None:
        """Make a generation of an object, as anybody might who may write."""
        for each in [each for each in self.objects if each["name"] == name]:
            self._replace(each)
        made = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        told = {"name": name, "generation": str(next(self._numbers)), "timeCreated": made}
        self.objects.append({**told, "is": content, "live": True})

    def _replace(self, entry: dict[str, Any]) -> None:
        """Let what was live be so no longer; only a bucket that keeps versions has it still."""
        entry["live"] = False
        if not self.versioned:
            self.objects.remove(entry)

    def _stored(self, method: str, name: str | None, query: dict[str, str]) -> Answer:
        if name is None:
            return self._listed(query)
        wanted = query.get("generation")
        found = [each for each in self.objects if each["name"] == name]
        found = [each for each in found if (each["live"] if wanted is None else each["generation"] == wanted)]
        if not found:
            return refused(404, f"No such object: {BUCKET}/{name}")
        if method == "DELETE":
            self._replace(found[0]) if wanted is None else self.objects.remove(found[0])
            return 204, b""
        return 200, found[0]["is"] if query.get("alt") == "media" else shown(found[0])

    def _listed(self, query: dict[str, str]) -> Answer:
        found = [each for each in self.objects if each["name"].startswith(query["prefix"])]
        if query.get("versions") != "true":
            found = [each for each in found if each["live"]]
        begin = int(query.get("pageToken", 0))
        page: dict[str, Any] = {"items": [shown(each) for each in found[begin : begin + PAGE]]} if found else {}
        return 200, page | ({"nextPageToken": str(begin + PAGE)} if len(found) > begin + PAGE else {})


def shown(entry: dict[str, Any]) -> dict[str, Any]:
    return {name: each for name, each in entry.items() if name not in {"is", "live"}}


def refused(status: int, message: str) -> Answer:
    return status, {"error": {"code": status, "message": message, "status": STATUSES[status]}}


@cache
def _key() -> str:
    key = rsa.generate_private_key(65537, 2048)
    encoding = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    return key.private_bytes(*encoding).decode()


@contextmanager
def a_google(folder: Path) -> Iterator[Google]:
    """Serve both until the test is done, and let the environment say whose key counts."""
    google = Google()
    with a_server(google.answer) as server, _account(folder, server.url):
        google.url = server.url
        yield google


@contextmanager
def _account(folder: Path, url: str) -> Iterator[None]:
    account = {
        "type": "service_account",
        "project_id": "acme",
        "private_key_id": "1",
        "private_key": _key(),
        "client_email": "carapulse@acme.iam.gserviceaccount.com",
        "token_uri": f"{url}/token",
    }
    file = folder / "account.json"
    file.write_text(json.dumps(account))
    before = os.environ.get("GOOGLE_APPLICATION_CREDENTIALS")
    os.environ["GOOGLE_APPLICATION_CREDENTIALS"] = str(file)
    try:
        yield
    finally:
        del os.environ["GOOGLE_APPLICATION_CREDENTIALS"]
        os.environ |= {} if before is None else {"GOOGLE_APPLICATION_CREDENTIALS": before}
