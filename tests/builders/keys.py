"""The header under which tests send what starts work: a key of its own for each request, unless a test says otherwise."""

import uuid
from collections.abc import Mapping
from typing import Any, Final

FRESH: Final = "a new key"


def a_key() -> str:
    return str(uuid.uuid4())


def keyed(method: str, key: Any = FRESH) -> Mapping[str, Any]:
    """Return the header for a request: with this key, with a fresh one, or, if the key is None, without any."""
    if method != "POST" or key is None:
        return {}
    return {"Idempotency-Key": a_key() if key == FRESH else key}
