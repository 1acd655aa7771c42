"""Blobs in a bucket of Cloud Storage: each an object named by its digest."""

import base64
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import md5
from http import HTTPStatus
from secrets import token_hex
from typing import Any, Final, Self
from urllib.parse import quote, urlencode

from carapulse.adapters.gcp.calling import GoogleApi, Said
from carapulse.kernel.blobs import BlobCorrupt, NoSuchBlob, digest_of, hex_of
from carapulse.kernel.errors import Unavailable

URL: Final = "https://storage.googleapis.com"
_YOUNG: Final = timedelta(minutes=1)  # no deletion asks for what is as young as that
_TYPE: Final = "application/octet-stream"


@dataclass(frozen=True, slots=True)
class GoogleBlobs:
    """Content under `sha256/` and its hex digits. What is encrypted, and how long it is kept, the bucket says."""

    api: GoogleApi
    bucket: str

    @classmethod
    def connect(cls, bucket: str, url: str = URL) -> Self:
        """Return the keeper; asks nobody yet."""
        return cls(GoogleApi("Cloud Storage", url), bucket)

    def put(self, content: bytes) -> str:
        """Keep content and return its digest; Google checks what arrived. Repeated, it makes a younger generation.

        Google takes an object of one name once in a second. Who comes too often finds what another just put.
        """
        digest, boundary = digest_of(content), token_hex()
        answer = self.api.ask(
            "POST",
            f"/upload/storage/v1/b/{self.bucket}/o?uploadType=multipart&fields=generation",
            body=_multipart(_name(digest), content, boundary),
            **{"Content-Type": f"multipart/related; boundary={boundary}"},
        )
        if answer.status == HTTPStatus.TOO_MANY_REQUESTS and self._is_young(digest):
            return digest
        _succeeded(answer)
        return digest

    def get(self, digest: str) -> bytes:
        """Return the content, checked against its digest; raises NoSuchBlob or BlobCorrupt."""
        answer = self.api.ask("GET", f"{self._path(digest)}?alt=media")
        if _is_absence(answer):
            raise NoSuchBlob("no content with this digest is kept", digest=digest)
        content = _succeeded(answer).body
        if digest_of(content) != digest:
            raise BlobCorrupt("the content is not what its digest names", digest=digest)
        return content

    def has(self, digest: str) -> bool:
        """Return whether content is kept under this digest, without reading it."""
        answer = self.api.ask("GET", f"{self._path(digest)}?fields=generation")
        return not _is_absence(answer) and _succeeded(answer).status == HTTPStatus.OK

    def delete(self, digest: str, *, put_before: datetime | None = None) -> None:
        """Forget every generation that was put before a moment, or all of them.

        Each is deleted by its own number, so one that somebody puts meanwhile stays, whether the bucket keeps
        versions or not.
        """
        path = self._path(digest)
        for each in list(self._generations(digest)):
            if put_before is None or _made(each) < put_before:
                answer = self.api.ask("DELETE", f"{path}?generation={int(each['generation'])}")
                if not _is_absence(answer):
                    _succeeded(answer)

    def _generations(self, digest: str) -> Iterator[dict[str, Any]]:
        wanted = {"prefix": _name(digest), "versions": "true", "fields": "items(generation,timeCreated),nextPageToken"}
        while True:
            page = _succeeded(self.api.ask("GET", f"/storage/v1/b/{self.bucket}/o?{urlencode(wanted)}")).json
            yield from page.get("items", ())
            if "nextPageToken" not in page:
                return
            wanted["pageToken"] = page["nextPageToken"]

    def _is_young(self, digest: str) -> bool:
        """Say whether somebody put the same within the last minute, by Google's own clock."""
        answer = self.api.ask("GET", f"{self._path(digest)}?fields=timeCreated")
        return answer.status == HTTPStatus.OK and answer.at - _made(answer.json) < _YOUNG

    def _path(self, digest: str) -> str:
        return f"/storage/v1/b/{self.bucket}/o/{quote(_name(digest), safe='')}"


def _name(digest: str) -> str:
    return f"sha256/{hex_of(digest)}"


def _made(entry: dict[str, Any]) -> datetime:
    return datetime.fromisoformat(entry["timeCreated"])


def _multipart(name: str, content: bytes, boundary: str) -> bytes:
    checksum = base64.b64encode(md5(content, usedforsecurity=False).digest()).decode()
    told = json.dumps({"name": name, "contentType": _TYPE, "md5Hash": checksum})
    head = (
        f"--{boundary}\r\nContent-Type: application/json\r\n\r\n{told}\r\n--{boundary}\r\nContent-Type: {_TYPE}\r\n\r\n"
    )
    return head.encode() + content + f"\r\n--{boundary}--\r\n".encode()


def _is_absence(answer: Said) -> bool:
    """Say whether it is the object that is not there, and not its bucket."""
    return answer.status == HTTPStatus.NOT_FOUND and "bucket" not in answer.error


def _succeeded(answer: Said) -> Said:
    if answer.status not in {HTTPStatus.OK, HTTPStatus.NO_CONTENT}:
        raise Unavailable("Cloud Storage refused", status=answer.status, said=answer.error[:200])
    return answer
