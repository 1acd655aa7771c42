"""The development issuer: makes tokens on a laptop and in tests, where no identity provider is at hand."""

from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from joserfc import jwt
from joserfc.jwk import KeySet, OKPKey
from pydantic import TypeAdapter, ValidationError

from carapulse.identity.errors import TokenNotMintable
from carapulse.identity.keyfile import keep_once, read_private
from carapulse.identity.model import Kind, Role, Subject, Tenant
from carapulse.identity.tokens import HeldKeys, Issuer
from carapulse.kernel.call import Scope
from carapulse.kernel.clock import Clock, SystemClock
from carapulse.kernel.ids import new_id

ISSUER = "carapulse-development"
AUDIENCE = "carapulse"
KEY_FILE = "issuer-key.pem"
LONGEST_LIFETIME = timedelta(days=31)
"""A token can't be taken back, so it must not live long."""

_SUBJECT: TypeAdapter[str] = TypeAdapter(Subject)
_TENANT: TypeAdapter[str] = TypeAdapter(Tenant)
_WHOLE = Scope()


@dataclass(frozen=True, slots=True)
class DevelopmentIssuer:
    """An issuer whose Ed25519 key lies in the data directory, readable by its owner alone."""

    key: OKPKey
    clock: Clock

    @classmethod
    def load_or_make(cls, folder: Path, clock: Clock | None = None) -> "DevelopmentIssuer":
        """Return the issuer of this data directory; its key is made at the first start.

        Raises KeyExposed when others can read the key.
        """
        path = folder / KEY_FILE
        if not path.exists():
            keep_once(path, OKPKey.generate_key("Ed25519").as_pem(private=True))
        return cls(key=OKPKey.import_key(read_private(path)), clock=clock or SystemClock())

    @property
    def issuer(self) -> Issuer:
        """What a verifier must know; the private key is not in it."""
        public = OKPKey.import_key(self.key.as_dict(private=False))
        return Issuer(name=ISSUER, audience=AUDIENCE, keys=HeldKeys(KeySet([public])), algorithms=("Ed25519",))

    def mint(
        self,
        tenant: str,
        subject: str,
        roles: frozenset[str],
        lifetime: timedelta,
        kind: Kind = "person",
        scope: Scope = _WHOLE,
    ) -> str:
        """Return a signed token, or raise TokenNotMintable for a name, role or lifetime that no token may have."""
        _check(tenant, subject, roles, lifetime)
        now = int(self.clock.now().timestamp())
        claims = {
            "iss": ISSUER,
            "aud": AUDIENCE,
            "sub": subject,
            "tenant": tenant,
            "kind": kind,
            "roles": sorted(roles),
            "iat": now,
            "exp": now + int(lifetime.total_seconds()),
            "jti": new_id("token"),
            **{f"scope_{name}": list(names) for name, names in scope if names is not None},
        }
        header = {"alg": "Ed25519", "typ": "at+jwt", "kid": self.key.thumbprint()}
        return jwt.encode(header, claims, self.key, algorithms=["Ed25519"])


def _check(tenant: str, subject: str, roles: frozenset[str], lifetime: timedelta) -> None:
    try:
        _TENANT.validate_python(tenant)
        _SUBJECT.validate_python(subject)
    except ValidationError as error:
        raise TokenNotMintable("the tenant or the subject is not a name", tenant=tenant, subject=subject) from error
    if unknown := roles - frozenset(Role):
        raise TokenNotMintable("there is no such role", roles=sorted(unknown), known=sorted(Role))
    if not timedelta(seconds=1) <= lifetime <= LONGEST_LIFETIME:
        raise TokenNotMintable("a token lives between a second and 31 days", lifetime=str(lifetime))
