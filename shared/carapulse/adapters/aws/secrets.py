"""Secrets that AWS Secrets Manager holds, read at each use, so that a rotated one counts at once."""

from dataclasses import dataclass
from typing import Any, Final, Self

from botocore.exceptions import ClientError

from carapulse.adapters.aws.calling import answered_by, client_of
from carapulse.kernel.errors import Unavailable
from carapulse.tools.errors import SecretForbidden, SecretMissing, SecretStoreAway, SecretStoreBusy
from carapulse.tools.kept import parted, told

_FORBIDDEN: Final = {"AccessDeniedException", "UnrecognizedClientException", "ExpiredTokenException"}
_BUSY: Final = {"ThrottlingException", "Throttling", "TooManyRequestsException"}


@dataclass(frozen=True, slots=True)
class ManagedSecrets:
    """Reads `aws:NAME`, the whole secret, and `aws:NAME#FIELD`, one string of a secret that is a JSON object.

    `aws:NAME?stage=LABEL` is not the current version but the one that has this staging label.
    """

    client: Any

    @classmethod
    def connect(cls) -> Self:
        """Return the reader; asks nobody yet."""
        return cls(client_of("secretsmanager"))

    def read(self, place: str) -> str:
        """Return the value that it has now, or raise what the errors of tools say of secrets."""
        name, field = parted(place)
        reference = f"aws:{place}"
        try:
            with answered_by("Secrets Manager"):
                text = self._text(name, reference)
        except Unavailable as error:
            if isinstance(error, SecretMissing | SecretForbidden | SecretStoreBusy):
                raise
            raise SecretStoreAway(error.detail, reference=reference, said=error.facts) from error
        return told(text, field, reference)

    def _text(self, name: str, reference: str) -> str | None:
        try:
            text: str | None = self.client.get_secret_value(**_version(name, reference)).get("SecretString")
        except ClientError as error:
            code = error.response.get("Error", {}).get("Code")
            if code == "ResourceNotFoundException":
                raise SecretMissing("there is no such secret", reference=reference) from error
            if code in _FORBIDDEN:
                raise SecretForbidden("Secrets Manager does not let us read this", reference=reference) from error
            if code in _BUSY:
                raise SecretStoreBusy("Secrets Manager was asked too often", reference=reference) from error
            raise
        return text


def _version(name: str, reference: str) -> dict[str, str]:
    """Return how a version is asked for; a secret's name can't hold a question mark."""
    secret, asked, stage = name.partition("?stage=")
    if asked and not stage:
        raise SecretMissing("a version is asked for by no label", reference=reference)
    return {"SecretId": secret, "VersionStage": stage} if asked else {"SecretId": secret}
