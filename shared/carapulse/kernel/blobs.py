"""Blobs: content too large for a row, named by its digest, and the reference that stands in the row for it."""

import json
import re
from datetime import datetime
from hashlib import sha256
from typing import Any, Protocol

from carapulse.kernel.canonical import canonical
from carapulse.kernel.errors import Invalid, NotFound, Unavailable

REFERENCE = "$blob"
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")


class NoSuchBlob(NotFound):
    """No content with this digest is kept."""

    code = "no-such-blob"


class BlobCorrupt(Unavailable):
    """What is kept under a digest is not what it names. Asking again does not help; a backup does."""

    code = "blob-corrupt"
    retryable = False


class Blobs(Protocol):
    """Keeps content under its digest. Nothing is ever changed, and what is read is what was put."""

    def put(self, content: bytes) -> str:
        """Keep content durably and return its digest, `sha256:` and hex. Repeated, it makes the content young again."""
        ...

    def get(self, digest: str) -> bytes:
        """Return the content, checked against its digest; raises NoSuchBlob or BlobCorrupt."""
        ...

    def has(self, digest: str) -> bool:
        """Return whether content is kept under this digest, without reading it."""
        ...

    def delete(self, digest: str, *, put_before: datetime | None = None) -> None:
        """Forget content, unless somebody put it again since a moment. What is not there is forgotten already."""
        ...


def digest_of(content: bytes) -> str:
    """Return the name of content: `sha256:` and the hex SHA-256 of its bytes."""
    return "sha256:" + sha256(content).hexdigest()


def hex_of(digest: str) -> str:
    """Return the hex digits of a digest, or raise Invalid for text that is none: it may become part of a path."""
    if not _DIGEST.fullmatch(digest):
        raise Invalid("that is not a digest")
    return digest.removeprefix("sha256:")


def stored(value: bytes, threshold: int, blobs: Blobs) -> bytes:
    """Return the JSON to keep in a row: the value itself, or a reference to it if it has more bytes than the threshold.

    A value that looks like a reference is put away whatever its size, so that no value can pose as one.
    """
    if len(value) <= threshold and not _may_be_reference(value):
        return value
    return canonical({REFERENCE: blobs.put(value), "bytes": len(value)})


def fetched(kept: bytes, blobs: Blobs) -> bytes:
    """Return the value for what `stored` returned."""
    reference = _object(kept) if _may_be_reference(kept) else None
    return kept if reference is None else blobs.get(str(reference[REFERENCE]))


def _may_be_reference(value: bytes) -> bool:
    """Look closely only at what can be an object with that name; it may be spelled with escapes."""
    return (REFERENCE.encode() in value or b"\\u" in value) and _object(value) is not None


def _object(value: bytes) -> dict[str, Any] | None:
    parsed = json.loads(value)
    return parsed if isinstance(parsed, dict) and REFERENCE in parsed else None
