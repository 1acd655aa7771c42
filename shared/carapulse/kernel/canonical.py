"""The one canonical form (RFC 8785 JSON) and the one digest (SHA-256) for everything that is compared or signed."""

import hashlib
from typing import Any

import rfc8785

from carapulse.kernel.errors import Invalid


def canonical(value: Any) -> bytes:  # noqa: ANN401 - any JSON value
    """Return the RFC 8785 form of a JSON value, or raise Invalid for what JSON can't carry exactly."""
    try:
        return rfc8785.dumps(value)
    except rfc8785.CanonicalizationError as error:
        raise Invalid(f"the value has no canonical JSON form: {error}") from error


def digest(value: Any) -> str:  # noqa: ANN401 - any JSON value
    """Return `sha256:` and the hex SHA-256 of the canonical form."""
    return "sha256:" + hashlib.sha256(canonical(value)).hexdigest()
