"""The one canonical form (RFC 8785 JSON) and the one digest (SHA-256) for everything that is compared or signed."""

import hashlib
import json
from typing import Any

import rfc8785

from carapulse.kernel.errors import Invalid

_EXACT = 2**53 - 1
_PLAIN = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":"), sort_keys=True)


def canonical(value: Any) -> bytes:  # noqa: ANN401 - any JSON value
    """Return the RFC 8785 form of a JSON value, or raise Invalid for what JSON can't carry exactly."""
    if _is_plain(value):
        return _PLAIN.encode(value).encode()
    try:
        return rfc8785.dumps(value)
    except rfc8785.CanonicalizationError as error:
        raise Invalid(f"the value has no canonical JSON form: {error}") from error


def _is_plain(value: Any) -> bool:  # noqa: ANN401 - any JSON value
    """Say whether the standard library's fast encoder writes the same: it does without floats and beyond ASCII text."""
    pending = [value]
    for each in pending:
        kind = type(each)
        if kind is dict:
            if not all(type(key) is str and key.isascii() for key in each):
                return False
            pending.extend(each.values())
        elif kind is list:
            pending.extend(each)
        elif kind is str:
            if not each.isascii():
                return False
        elif not (each is None or kind is bool or (kind is int and -_EXACT <= each <= _EXACT)):
            return False
    return True


def storable(value: Any) -> Any:  # noqa: ANN401 - any JSON value
    """Return the value as every reader of JSON can hold it.

    What an outside system may say and JSON can't carry everywhere becomes text: NUL and half surrogate pairs a
    replacement character, NaN and numbers beyond 2^53 their decimal spelling.
    """
    if isinstance(value, str):
        return value.replace("\0", "\ufffd").encode("utf-8", "replace").decode()
    if isinstance(value, dict):
        return {storable(str(key)): storable(each) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [storable(each) for each in value]
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    return str(value) if is_number and not abs(value) <= _EXACT else value  # NaN compares with nothing


def digest(value: Any) -> str:  # noqa: ANN401 - any JSON value
    """Return `sha256:` and the hex SHA-256 of the canonical form."""
    return "sha256:" + hashlib.sha256(canonical(value)).hexdigest()
