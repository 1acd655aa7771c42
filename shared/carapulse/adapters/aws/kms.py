"""An evidence key that AWS KMS holds: nobody has its private half, and every signature is in Amazon's own log."""

from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256, sha512
from typing import Any, Final, Self

from botocore.config import Config
from botocore.exceptions import ClientError

from carapulse.adapters.aws.calling import answered_by, client_of
from carapulse.audit.note import signed_envelope, signed_note
from carapulse.audit.verifier import Key
from carapulse.kernel.errors import Invalid

# It is asked while a checkpoint's transaction is open, which the database ends after a minute.
_PATIENCE: Final = Config(connect_timeout=3, read_timeout=5, retries={"mode": "standard", "total_max_attempts": 2})
_LONGEST_SIGNED_WHOLE: Final = 4096
_SPEC: Final = "ECC_NIST_EDWARDS25519"
_HEAD: Final = bytes.fromhex("302a300506032b6570032100")  # RFC 8410: what stands before an Ed25519 key's 32 bytes
_NO_KEY: Final = {"NotFoundException", "InvalidArnException", "UnsupportedOperationException"}


@dataclass(frozen=True)
class KmsKey:
    """An asymmetric key of the kind ECC_NIST_EDWARDS25519 that may sign, by its ARN, id or alias.

    Messages of up to 4096 bytes are signed by Ed25519. KMS takes no longer ones, so of those it signs the SHA-512, by
    Ed25519ph (RFC 8032).
    """

    client: Any
    name: str

    @classmethod
    def connect(cls, name: str) -> Self:
        """Return the key; asks nobody yet."""
        return cls(client_of("kms", _PATIENCE), name)

    @property
    def key(self) -> Key:
        """The verifier key. Its name comes from its public half, so that no two keys have the same."""
        return self._found[1]

    def note(self, text: str) -> str:
        """Return a text as a signed note; Invalid for one that is too long to be signed whole."""
        if len(text.encode()) > _LONGEST_SIGNED_WHOLE:
            raise Invalid("a key of KMS signs notes of up to 4096 bytes")
        return signed_note(self.key, text, self._sign)

    def envelope(self, kind: str, payload: bytes) -> bytes:
        """Return a payload in a signed envelope."""
        return signed_envelope(self.key, kind, payload, self._sign)

    @cached_property
    def _found(self) -> tuple[str, Key]:
        """The ARN, which an alias that is pointed elsewhere meanwhile doesn't change, and the verifier key."""
        with answered_by("KMS"):
            try:
                answer = self.client.get_public_key(KeyId=self.name)
            except ClientError as error:
                if error.response.get("Error", {}).get("Code") in _NO_KEY:
                    raise Invalid("KMS has no such key that signs", key=self.name) from error
                raise
        encoded: bytes = answer["PublicKey"]
        if (answer["KeySpec"], encoded[: len(_HEAD)]) != (_SPEC, _HEAD):
            raise Invalid(f"the evidence key must be of the kind {_SPEC}", key=self.name, kind=answer["KeySpec"])
        public = encoded[len(_HEAD) :]
        return answer["KeyId"], Key(f"carapulse.dev/log/{sha256(public).hexdigest()[:16]}", public)

    def _sign(self, message: bytes) -> bytes:
        how = {"Message": message, "MessageType": "RAW", "SigningAlgorithm": "ED25519_SHA_512"}
        if len(message) > _LONGEST_SIGNED_WHOLE:
            digest = sha512(message).digest()
            how = {"Message": digest, "MessageType": "DIGEST", "SigningAlgorithm": "ED25519_PH_SHA_512"}
        with answered_by("KMS"):
            signature: bytes = self.client.sign(KeyId=self._found[0], **how)["Signature"]
        return signature
