"""Secrets that AWS Secrets Manager holds, read at each use, so that a rotated one counts at once."""

import json
from dataclasses import dataclass
from typing import Any, Self

from botocore.exceptions import ClientError

from carapulse.adapters.aws.calling import answered_by, client_of
from carapulse.tools.errors import SecretMissing


@dataclass(frozen=True, slots=True)
class ManagedSecrets:
    """Reads `aws:NAME`, the whole secret, and `aws:NAME#FIELD`, one string of a secret that is a JSON object."""

    client: Any

    @classmethod
    def connect(cls) -> Self:
        """Return the reader; asks nobody yet."""
        return cls(client_of("secretsmanager"))

    def read(self, place: str) -> str:
        """Return the current value; SecretMissing if there is none, Unavailable if nobody answers."""
        name, _, field = place.partition("#")
        reference = f"aws:{place}"
        with answered_by("Secrets Manager"):
            try:
                text = self.client.get_secret_value(SecretId=name).get("SecretString")
            except ClientError as error:
                if error.response.get("Error", {}).get("Code") == "ResourceNotFoundException":
                    raise SecretMissing("there is no such secret", reference=reference) from error
                raise
        value = text if not field or text is None else _member(text, field, reference)
        if not isinstance(value, str) or not value.strip():
            raise SecretMissing("a secret is empty, or no text", reference=reference)
        return value.rstrip("\r\n")


def _member(text: str, field: str, reference: str) -> Any:  # noqa: ANN401 - any JSON value
    try:
        value = json.loads(text)
    except ValueError as error:
        raise SecretMissing("a secret is no JSON object", reference=reference) from error
    return value.get(field) if isinstance(value, dict) else None
