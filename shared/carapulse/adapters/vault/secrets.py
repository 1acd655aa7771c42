"""Secrets that a Vault keeps in a key-value engine of version 2, read at each use."""

from dataclasses import dataclass
from http import HTTPStatus

from carapulse.adapters.vault.proving import Proof
from carapulse.adapters.vault.speaking import Said, Vault
from carapulse.tools.errors import SecretForbidden, SecretMissing, SecretStoreAway, SecretStoreBusy
from carapulse.tools.kept import parted, usable


@dataclass(frozen=True, slots=True)
class VaultSecrets:
    """Reads `vault:MOUNT/PATH#FIELD`: one field of the newest version of a secret."""

    vault: Vault
    proof: Proof

    def read(self, place: str) -> str:
        """Return the current value, or raise what the errors of tools say of secrets."""
        name, field = parted(place)
        mount, _, path = name.partition("/")
        reference = f"vault:{place}"
        found = _found(self._ask(f"{mount}/data/{path}"), reference)
        return usable(found.get(field), field, reference)

    def _ask(self, path: str) -> Said:
        token = self.proof.token()
        answer = self.vault.ask("GET", path, token=token)
        if answer.status == HTTPStatus.FORBIDDEN and self.proof.refused(token):
            return self.vault.ask("GET", path, token=self.proof.token())
        return answer


def _found(answer: Said, reference: str) -> dict[str, object]:
    match answer.status:
        case HTTPStatus.OK:
            data = answer.data.get("data")
            found = data.get("data") if isinstance(data, dict) else None
            if not isinstance(found, dict):
                raise SecretMissing("this is no secret of a key-value engine of version 2", reference=reference)
            return found
        case HTTPStatus.NOT_FOUND:
            raise SecretMissing("there is no such secret, or its newest version is deleted", reference=reference)
        case HTTPStatus.FORBIDDEN:
            raise SecretForbidden("Vault does not let us read this", reference=reference)
        case HTTPStatus.TOO_MANY_REQUESTS:
            raise SecretStoreBusy("Vault was asked too often", reference=reference)
        case other:
            raise SecretStoreAway("Vault could not answer", reference=reference, status=other)
