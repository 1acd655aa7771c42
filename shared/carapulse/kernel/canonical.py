"""The one canonical form (RFC 8785 JSON) and the one digest (SHA-256) for everything that is compared or signed."""

import hashlib
import json
from typing import Any

import rfc8785

from carapulse.kernel.errors import Invalid

_EXACT = 2**53 - 1
_ENCODER = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":"), sort_keys=True)
_SMALLEST, _LARGEST = 1e-4, 1e15  # between them Python, too, spells a fraction without an exponent


def canonical(value: Any) -> bytes:  # noqa: ANN401 - any JSON value
    """Return the RFC 8785 form of a JSON value, or raise Invalid for what JSON can't carry exactly."""
    if _is_spelled_alike(value):
        return _ENCODER.encode(value).encode()
    try:
        return _ENCODER.encode(_spelled(value)).encode()
    except _NeedsReference:
        pass
    try:
        return rfc8785.dumps(value)
    except rfc8785.CanonicalizationError as error:
        raise Invalid(f"the value has no canonical JSON form: {error}") from error


def digest_of_text(text: str) -> str:
    """Return the digest of the value that a JSON text says, sooner than by reading it first."""
    if not text.isascii() or "\\u" in text:
        return digest(json.loads(text))
    try:
        value = _DECODER.decode(text)
    except _NeedsReference:
        return digest(json.loads(text))
    return _digest(_ENCODER.encode(value).encode())


class _NeedsReference(Exception):  # noqa: N818 - not an error of anybody
    """The fast encoder might write this otherwise than the reference."""


def _is_spelled_alike(value: Any) -> bool:  # noqa: ANN401 - any JSON value
    """Say whether the fast encoder writes all of it right as it is: text in ASCII, and whole numbers that are exact."""
    left = [value]
    while left:
        each = left.pop()
        kind = type(each)
        if kind is str:
            if not each.isascii():
                return False
        elif kind is dict:
            if not _has_plain_keys(each):
                return False
            left.extend(each.values())
        elif kind is list:
            left.extend(each)
        elif kind is int:
            if abs(each) > _EXACT:
                return False
        elif each is not None and kind is not bool:
            return False
    return True


def _spelled(value: Any) -> Any:  # noqa: ANN401 - any JSON value
    """Return the value as the standard library's fast encoder writes it right, or raise _NeedsReference.

    That is text in ASCII, and numbers that Python and ECMAScript spell alike; what is left is rare.
    """
    kind = type(value)
    if value is None or kind is bool or (kind is str and value.isascii()):
        return value
    if kind is dict:
        if not _has_plain_keys(value):
            raise _NeedsReference
        return {
            key: each if each is None or (type(each) is str and each.isascii()) else _spelled(each)
            for key, each in value.items()
        }
    if kind is list:
        return [_spelled(each) for each in value]
    if kind is int or kind is float:
        return _spelled_number(value)
    raise _NeedsReference


def _has_plain_keys(value: dict[Any, Any]) -> bool:
    try:
        return "".join(value).isascii()
    except TypeError:  # a key that is no text
        return False


def _spelled_number(value: float) -> float:
    if abs(value) <= _EXACT and value == int(value):
        return int(value)
    if _SMALLEST <= abs(value) < _LARGEST:
        return value
    raise _NeedsReference


def _spelled_whole(digits: str) -> int:
    number = int(digits)
    if abs(number) > _EXACT:
        raise _NeedsReference
    return number


def _spelled_fraction(digits: str) -> float:
    return _spelled_number(float(digits))


_DECODER = json.JSONDecoder(parse_int=_spelled_whole, parse_float=_spelled_fraction)
"""Reads numbers as the fast encoder writes them right."""


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
    return _digest(canonical(value))


def _digest(spelled: bytes) -> str:
    return "sha256:" + hashlib.sha256(spelled).hexdigest()
