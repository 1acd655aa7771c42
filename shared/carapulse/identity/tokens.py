"""Bearer tokens (RFC 7519, read as RFC 8725 asks): only from issuers, with keys and algorithms, that we listed."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import KeySet
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from carapulse.identity.errors import TokenExpired, TokenRefused
from carapulse.identity.model import Kind, Principal, Proof, Role, Subject, Tenant
from carapulse.kernel.call import MOST_NAMES, Actor, Scope
from carapulse.kernel.clock import Clock
from carapulse.kernel.context import Name
from carapulse.kernel.errors import Problem
from carapulse.wire import read_json

LEEWAY = 60.0
"""Seconds that two clocks may differ."""

Algorithm = Literal["Ed25519", "ES256", "ES384", "PS256", "RS256"]
"""Public-key signatures only: neither `none` nor a shared secret can be configured, let alone asked for by a token."""

_LONGEST = 8192
_OURS = ("key:", "source:")
_KNOWN_ROLES = frozenset(Role)

Seconds = Annotated[float, Field(allow_inf_nan=False)]
ScopeNames = Annotated[list[Name], Field(max_length=MOST_NAMES)]


@dataclass(frozen=True, slots=True)
class Issuer:
    """Somebody whose tokens are believed: the name in `iss`, what `aud` must hold, and their public keys."""

    name: str
    audience: str
    keys: KeySet
    algorithms: tuple[Algorithm, ...] = ("Ed25519",)


class Claims(BaseModel):
    """What a token says. Other claims are ignored (RFC 7519, 4), wrong types are not."""

    model_config = ConfigDict(frozen=True, extra="ignore", strict=True)

    iss: str
    aud: str | list[str]
    sub: Subject
    tenant: Tenant
    exp: Seconds
    kind: Kind
    nbf: Seconds | None = None
    iat: Seconds | None = None
    roles: list[str] = Field(default_factory=list)
    jti: Annotated[str, Field(max_length=255)] | None = None
    scope_environments: ScopeNames | None = None
    scope_services: ScopeNames | None = None
    scope_clusters: ScopeNames | None = None

    @field_validator("sub")
    @classmethod
    def _is_nobody_of_ours(cls, subject: str) -> str:
        """Refuse names that only this installation gives to actors of its own."""
        if subject.startswith(_OURS):
            raise ValueError("no issuer may speak for keys and sources")
        return subject

    def is_for(self, issuer: Issuer) -> bool:
        """Return whether the token was made by and for those that we expect."""
        return self.iss == issuer.name and issuer.audience in ([self.aud] if isinstance(self.aud, str) else self.aud)

    def principal(self) -> Principal:
        """Return who the token speaks for; roles that we don't know are not granted."""
        known = _KNOWN_ROLES.intersection(self.roles)
        actor = Actor(id=self.sub, kind=self.kind, roles=known, scope=self.scope())
        proof = Proof(kind="token", id=self.jti)
        return Principal(actor=actor, tenant=self.tenant, expires_at=self.exp, proof=proof)

    def scope(self) -> Scope:
        """Return what the token may touch; an issuer that says nothing restricts nothing."""
        claimed = (self.scope_environments, self.scope_services, self.scope_clusters)
        environments, services, clusters = (None if names is None else tuple(names) for names in claimed)
        return Scope(environments=environments, services=services, clusters=clusters)


class TokenVerifier:
    """Turns a bearer token into a principal, or refuses it. It asks nobody: all keys are at hand."""

    def __init__(self, issuers: Iterable[Issuer], clock: Clock) -> None:
        self._issuers = {issuer.name: issuer for issuer in issuers}
        self._clock = clock

    def verify(self, token: str) -> Principal:
        """Return who is asking, or raise TokenRefused or TokenExpired."""
        if len(token) > _LONGEST:
            raise TokenRefused("the token was not accepted", reason="length")
        try:
            claims = self._verified(token)
        except (JoseError, ValidationError, ValueError, TypeError, KeyError, Problem) as error:
            raise TokenRefused("the token was not accepted") from error
        self._check_time(claims)
        return claims.principal()

    def _verified(self, token: str) -> Claims:
        issuer = self._issuer_of(token)
        registry = jws.JWSRegistry(algorithms=issuer.algorithms)
        signed = jws.deserialize_compact(token, issuer.keys, registry=registry)
        claims = Claims.model_validate(read_json(signed.payload))
        if not claims.is_for(issuer):
            raise TokenRefused("the token is for somebody else")
        return claims

    def _issuer_of(self, token: str) -> Issuer:
        """Choose whose keys to try; nothing read here is believed before those keys verified it."""
        said: Any = read_json(jws.extract_compact(token.encode("ascii")).payload)
        issuer = self._issuers.get(said["iss"])
        if issuer is None:
            raise TokenRefused("the issuer is not known")
        return issuer

    def _check_time(self, claims: Claims) -> None:
        now = self._clock.now().timestamp()
        if now >= claims.exp + LEEWAY:
            raise TokenExpired("the token has expired")
        if any(moment is not None and moment > now + LEEWAY for moment in (claims.nbf, claims.iat)):
            raise TokenRefused("the token is not valid yet")
