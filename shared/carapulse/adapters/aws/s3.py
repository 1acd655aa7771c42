"""Blobs in a bucket of S3 that keeps versions: each an object named by its digest."""

import base64
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any, Literal, Self

from botocore.exceptions import ClientError

from carapulse.adapters.aws.calling import answered_by, client_of
from carapulse.kernel.blobs import BlobCorrupt, NoSuchBlob, digest_of, hex_of
from carapulse.kernel.clock import Clock
from carapulse.kernel.errors import Unavailable

_NOT_THERE = {"404", "NoSuchKey", "NotFound"}
_UNVERSIONED = "null"
_GRAIN = timedelta(seconds=1)  # S3 tells whole seconds: what was put in the second of a moment may be younger than it


@dataclass(frozen=True, slots=True)
class Lock:
    """For how long S3 lets nobody delete or overwrite what is put; `GOVERNANCE` lets those who are allowed to."""

    mode: Literal["GOVERNANCE", "COMPLIANCE"]
    days: int
    clock: Clock

    def told(self) -> dict[str, Any]:
        """Return what S3 must be told with content that is put now."""
        return {"ObjectLockMode": self.mode, "ObjectLockRetainUntilDate": self.clock.now() + timedelta(days=self.days)}


@dataclass(frozen=True, slots=True)
class S3Blobs:
    """Content under `sha256/` and its hex digits. What is encrypted the bucket says, and without a lock what is locked.

    Into a bucket that has no object lock nothing is put that should be locked: Unavailable.
    """

    client: Any
    bucket: str
    lock: Lock | None = None

    @classmethod
    def connect(cls, bucket: str, lock: Lock | None = None) -> Self:
        """Return the keeper; asks nobody yet."""
        return cls(client_of("s3"), bucket, lock)

    def put(self, content: bytes) -> str:
        """Keep content and return its digest; S3 checks what arrived. Repeated, it makes a younger version."""
        digest = digest_of(content)
        with answered_by("S3"):
            self.client.put_object(
                **self._named(digest),
                Body=content,
                ContentType="application/octet-stream",
                ChecksumAlgorithm="SHA256",  # S3 locks only what is named so, or has an MD5
                ChecksumSHA256=base64.b64encode(sha256(content).digest()).decode(),
                **({} if self.lock is None else self.lock.told()),
            )
        return digest

    def get(self, digest: str) -> bytes:
        """Return the content, checked against its digest; raises NoSuchBlob or BlobCorrupt."""
        named = self._named(digest)
        with answered_by("S3"):
            try:
                content: bytes = self.client.get_object(**named)["Body"].read()
            except ClientError as error:
                if _is_absence(error):
                    raise NoSuchBlob("no content with this digest is kept", digest=digest) from error
                raise
        if digest_of(content) != digest:
            raise BlobCorrupt("the content is not what its digest names", digest=digest)
        return content

    def has(self, digest: str) -> bool:
        """Return whether content is kept under this digest, without reading it."""
        named = self._named(digest)
        with answered_by("S3"):
            try:
                self.client.head_object(**named)
            except ClientError as error:
                if _is_absence(error):
                    return False
                raise
        return True

    def delete(self, digest: str, *, put_before: datetime | None = None) -> None:
        """Forget every version that was put before a moment, or all of them.

        Versions are deleted by their own ids, so one that somebody puts meanwhile stays. A bucket that keeps none is
        refused: there a delete would take whatever lies there by then.
        """
        for version in self._versions(self._named(digest)["Key"]):
            if version["VersionId"] == _UNVERSIONED:
                raise Unavailable("the bucket of blobs must keep versions", bucket=self.bucket)
            if put_before is None or version["LastModified"] + _GRAIN <= put_before:
                with answered_by("S3"):
                    self.client.delete_object(**self._named(digest), VersionId=version["VersionId"])

    def _versions(self, key: str) -> Iterator[dict[str, Any]]:
        with answered_by("S3"):
            pages = list(self.client.get_paginator("list_object_versions").paginate(Bucket=self.bucket, Prefix=key))
        for page in pages:
            yield from page.get("Versions", ())

    def _named(self, digest: str) -> dict[str, str]:
        return {"Bucket": self.bucket, "Key": f"sha256/{hex_of(digest)}"}


def _is_absence(error: ClientError) -> bool:
    return error.response.get("Error", {}).get("Code") in _NOT_THERE
