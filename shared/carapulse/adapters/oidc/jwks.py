"""Key sets (RFC 7517): of what an issuer publishes, only public keys that may verify signatures."""

from base64 import urlsafe_b64decode
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any, Final, Literal

from joserfc.errors import JoseError
from joserfc.jwk import JWKRegistry, Key
from pydantic import BaseModel, ConfigDict, ValidationError

from carapulse.observe import get_logger

_SHAPES: Final = {
    "Ed25519": ("OKP", "Ed25519"),
    "ES256": ("EC", "P-256"),
    "ES384": ("EC", "P-384"),
    "PS256": ("RSA", None),
    "RS256": ("RSA", None),
}
"""Which type of key, and on which curve, an algorithm needs (RFC 7518, RFC 9864)."""

_RSA_BITS: Final = range(2048, 8193)
_SECRET_PARTS: Final = frozenset({"d", "p", "q", "dp", "dq", "qi", "k"})

log = get_logger(__name__)


class _Entry(BaseModel):
    """One member of `keys`. `oct`, a shared secret, is not among the types: it is ignored like any other stranger."""

    model_config = ConfigDict(frozen=True, extra="ignore", strict=True)

    kty: Literal["RSA", "EC", "OKP"]
    kid: str | None = None
    use: Literal["sig"] | None = None
    alg: str | None = None
    key_ops: list[str] | None = None
    crv: str | None = None
    n: str | None = None
    e: str | None = None
    x: str | None = None
    y: str | None = None

    def numbers(self) -> dict[str, Any]:
        """Return the parts that make the key, and nothing that a library might obey."""
        return self.model_dump(include={"kty", "crv", "n", "e", "x", "y"}, exclude_none=True)


@dataclass(frozen=True, slots=True)
class PublicKey:
    """A key that may have signed."""

    kid: str | None
    algorithms: frozenset[str]
    key: Key


def usable(keys: Iterable[Any], algorithms: Collection[str]) -> tuple[PublicKey, ...]:
    """Return the keys that these algorithms can use; what is wrong, secret or for something else is left out."""
    return tuple(key for each in keys if (key := _read(each, algorithms)) is not None)


def _read(value: Any, algorithms: Collection[str]) -> PublicKey | None:  # noqa: ANN401 - any JSON value
    try:
        entry = _Entry.model_validate(value)
        fitting = frozenset(each for each in algorithms if _fits(entry, each))
        if not fitting or _SECRET_PARTS & set(value) or (entry.kty == "RSA" and _bits(entry.n) not in _RSA_BITS):
            return None
        return PublicKey(entry.kid, fitting, JWKRegistry.import_key(entry.numbers()))
    except (ValidationError, JoseError, ValueError, TypeError, KeyError) as error:
        log.debug("key_left_out", error=repr(error))
        return None


def _bits(modulus: str | None) -> int:
    """Return the size of an RSA key, before a library warns of it or works long on it."""
    return int.from_bytes(urlsafe_b64decode((modulus or "") + "==")).bit_length()


def _fits(entry: _Entry, algorithm: str) -> bool:
    kind, curve = _SHAPES[algorithm]
    may_verify = entry.key_ops is None or "verify" in entry.key_ops
    return may_verify and entry.kty == kind and curve in {None, entry.crv} and entry.alg in {None, algorithm}
