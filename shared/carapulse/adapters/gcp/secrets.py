"""Secrets that Google's Secret Manager holds, read at each use, so that a new version counts at once."""

import base64
import binascii
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final, Self

from carapulse.adapters.gcp.calling import GoogleApi, Said
from carapulse.kernel.errors import Unavailable
from carapulse.tools.errors import SecretForbidden, SecretMissing, SecretStoreAway, SecretStoreBusy
from carapulse.tools.kept import parted, told

URL: Final = "https://secretmanager.googleapis.com"


@dataclass(frozen=True, slots=True)
class GoogleSecrets:
    """Reads `gcp:PROJECT/NAME`, the newest version, and `gcp:PROJECT/NAME#FIELD`, one string of one that is JSON."""

    api: GoogleApi

    @classmethod
    def connect(cls, url: str = URL) -> Self:
        """Return the reader; asks nobody yet."""
        return cls(GoogleApi("Secret Manager", url))

    def read(self, place: str) -> str:
        """Return the current value, or raise what the errors of tools say of secrets."""
        name, field = parted(place)
        project, _, secret = name.partition("/")
        reference = f"gcp:{place}"
        try:
            answer = self.api.ask("GET", f"/v1/projects/{project}/secrets/{secret}/versions/latest:access")
        except Unavailable as error:
            raise SecretStoreAway(error.detail, reference=reference) from error
        return told(_text(_found(answer, reference), reference), field, reference)


def _found(answer: Said, reference: str) -> Said:
    match answer.status:
        case HTTPStatus.OK:
            return answer
        case HTTPStatus.NOT_FOUND:
            raise SecretMissing("there is no such secret", reference=reference)
        case HTTPStatus.BAD_REQUEST if (answer.json or {}).get("error", {}).get("status") == "FAILED_PRECONDITION":
            raise SecretMissing("the newest version of the secret is disabled or destroyed", reference=reference)
        case HTTPStatus.UNAUTHORIZED | HTTPStatus.FORBIDDEN:
            raise SecretForbidden("Secret Manager does not let us read this", reference=reference)
        case HTTPStatus.TOO_MANY_REQUESTS:
            raise SecretStoreBusy("Secret Manager was asked too often", reference=reference)
        case other:
            raise SecretStoreAway("Secret Manager could not answer", reference=reference, status=other)


def _text(answer: Said, reference: str) -> str:
    try:
        return base64.b64decode(answer.json["payload"]["data"], validate=True).decode("utf-8")
    except (TypeError, KeyError, binascii.Error, UnicodeDecodeError) as error:
        raise SecretMissing("a secret is empty, or no text", reference=reference) from error
