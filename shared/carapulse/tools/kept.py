"""Secrets as stores keep them: a text, or a member of a JSON object."""

import json
from typing import Any

from carapulse.tools.errors import SecretFieldMissing, SecretMissing


def parted(place: str) -> tuple[str, str]:
    """Return the name of a secret and the field of it that is wanted; no field is the whole secret."""
    name, _, field = place.partition("#")
    return name, field


def told(text: str | None, field: str, reference: str) -> str:
    """Return a secret, or one field of it; SecretMissing or SecretFieldMissing for what is not there, or no text."""
    if text is None:
        raise SecretMissing("a secret is empty, or no text", reference=reference)
    return usable(_members(text, reference).get(field) if field else text, field, reference)


def usable(value: Any, field: str, reference: str) -> str:  # noqa: ANN401 - any JSON value
    """Return a value if it can be a secret: text that is not blank, without the newline that editors leave."""
    if isinstance(value, str) and value.strip():
        return value.rstrip("\r\n")
    if field:
        raise SecretFieldMissing("a field of a secret is not there, or no text", reference=reference)
    raise SecretMissing("a secret is empty, or no text", reference=reference)


def _members(text: str, reference: str) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except ValueError as error:
        raise SecretFieldMissing("a secret is no JSON object", reference=reference) from error
    if not isinstance(found, dict):
        raise SecretFieldMissing("a secret is no JSON object", reference=reference)
    return found
