"""Bearer tokens (RFC 7519, read as RFC 8725 asks): only from issuers, with keys and algorithms, that we listed."""

import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Annotated, Any, Literal

from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import Key, KeySet
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from carapulse.identity.errors import TokenExpired, TokenRefused
from carapulse.identity.model import OURS, Kind, Principal, Proof, Role, Subject, Tenant
from carapulse.identity.ports import Fetch, Keys
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
_MOST_REMEMBERED = 4096
_LONGEST_KEY_NAME = 255
_TYPES = frozenset({"jwt", "at+jwt", "application/at+jwt"})
_KNOWN_ROLES = frozenset(Role)
_NONSENSE = (JoseError, ValidationError, ValueError, TypeError, KeyError, Problem)

Seconds = Annotated[float, Field(allow_inf_nan=False)]
ScopeNames = Annotated[list[Name], Field(max_length=MOST_NAMES)]


class Stamp(BaseModel):
    """By and for whom a token was made, and when it counts. Wrong types are refused."""

    model_config = ConfigDict(frozen=True, extra="ignore", strict=True)

    iss: str
    aud: str | list[str]
    exp: Seconds
    nbf: Seconds | None = None
    iat: Seconds | None = None

    def is_for(self, issuer: "Issuer") -> bool:
        """Return whether the token was made by and for those that we expect."""
        return self.iss == issuer.name and issuer.audience in ([self.aud] if isinstance(self.aud, str) else self.aud)


class Claims(Stamp):
    """What a token of our own form says. Other claims are ignored (RFC 7519, 4), wrong types are not."""

    sub: Subject
    tenant: Tenant
    kind: Kind
    roles: list[str] = Field(default_factory=list)
    jti: Annotated[str, Field(max_length=255)] | None = None
    scope_environments: ScopeNames | None = None
    scope_services: ScopeNames | None = None
    scope_clusters: ScopeNames | None = None

    @field_validator("sub")
    @classmethod
    def _is_nobody_of_ours(cls, subject: str) -> str:
        """Refuse names that only this installation gives to actors of its own."""
        if subject.startswith(OURS):
            raise ValueError("no issuer may speak for keys and sources")
        return subject

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


def read_own(said: Mapping[str, Any], _expires_at: float) -> Principal:
    """Return who a verified token of our own form speaks for."""
    return Claims.model_validate(said).principal()


@dataclass(frozen=True, slots=True)
class HeldKeys:
    """Keys that lie here; nothing is ever fetched."""

    held: KeySet

    def wanted(self, _kid: str | None) -> Fetch | None:
        """Return None: all are at hand."""
        return None

    def at_hand(self, _kid: str | None, _algorithm: str) -> KeySet:
        """Return all of them."""
        return self.held


@dataclass(frozen=True, slots=True)
class Issuer:
    """Somebody whose tokens are believed: the name in `iss`, what `aud` must hold, their keys, and their language."""

    name: str
    audience: str
    keys: Keys
    algorithms: tuple[Algorithm, ...] = ("Ed25519",)
    read: Callable[[Mapping[str, Any], float], Principal] = read_own


@dataclass(frozen=True, slots=True)
class _Unproven:
    """What a token says of itself. It only chooses what is tried; nothing of it is believed."""

    issuer: Issuer
    kid: str | None
    algorithm: str

    def fitting(self) -> "_Unproven":
        """Return this, or raise TokenRefused before anybody is asked for a key that could not be used."""
        if self.algorithm not in self.issuer.algorithms:
            raise TokenRefused("the issuer does not use this algorithm")
        return self


@dataclass(frozen=True, slots=True)
class _Proven:
    """A token that was verified: with which key, and what it says. It holds as long as that key does."""

    unproven: _Unproven
    key: Key | KeySet
    stamp: Stamp
    principal: Principal


class TokenVerifier:
    """Turns a bearer token into a principal, or refuses it. It never blocks: keys are fetched before, as it wants.

    What a good token says is remembered by the token's hash, for it can't change. Whether the issuer still has the key
    that signed it, and whether the token counts at this time, is asked each time.
    """

    def __init__(self, issuers: Iterable[Issuer], clock: Clock) -> None:
        self._issuers = {issuer.name: issuer for issuer in issuers}
        self._clock = clock
        self._proven: dict[bytes, _Proven] = {}
        self._lock = threading.Lock()

    def wanted(self, token: str) -> Fetch | None:
        """Return what has to be fetched before this token can be verified, or None. Raises TokenRefused."""
        known = self._proven.get(_mark_of(token))
        unproven = known.unproven if known else self._look_at(token)
        return unproven.issuer.keys.wanted(unproven.kid)

    def verify(self, token: str) -> Principal:
        """Return who is asking, or raise TokenRefused or TokenExpired; IssuerUnavailable when it can't be known now."""
        mark = _mark_of(token)
        known = self._proven.get(mark)
        unproven = known.unproven if known else self._look_at(token)
        key = unproven.issuer.keys.at_hand(unproven.kid, unproven.algorithm)
        if known is None or known.key is not key:
            known = self._prove(token, unproven, key)
            self._remember(mark, known)
        self._check_time(known.stamp)
        return known.principal

    def _prove(self, token: str, unproven: _Unproven, key: Key | KeySet) -> _Proven:
        try:
            said = _proven(token, unproven, key)
            stamp = Stamp.model_validate(said)
            principal = unproven.issuer.read(said, stamp.exp)
        except _NONSENSE as error:
            raise TokenRefused("the token was not accepted") from error
        if not stamp.is_for(unproven.issuer):
            raise TokenRefused("the token was not accepted", reason="audience")
        return _Proven(unproven, key, stamp, principal)

    def _remember(self, mark: bytes, proven: _Proven) -> None:
        with self._lock:
            self._proven[mark] = proven
            if len(self._proven) > _MOST_REMEMBERED:
                del self._proven[next(iter(self._proven))]

    def _look_at(self, token: str) -> _Unproven:
        if len(token) > _LONGEST:
            raise TokenRefused("the token was not accepted", reason="length")
        try:
            unsigned = jws.extract_compact(token.encode("ascii"))
            header, said = unsigned.headers(), read_json(unsigned.payload)
            return _Unproven(self._issuers[said["iss"]], *_checked_header(header)).fitting()
        except _NONSENSE as error:
            raise TokenRefused("the token was not accepted") from error

    def _check_time(self, stamp: Stamp) -> None:
        now = self._clock.now().timestamp()
        if now >= stamp.exp + LEEWAY:
            raise TokenExpired("the token has expired")
        if any(moment is not None and moment > now + LEEWAY for moment in (stamp.nbf, stamp.iat)):
            raise TokenRefused("the token is not valid yet")


def _mark_of(token: str) -> bytes:
    return sha256(token.encode("utf-8", "surrogatepass")).digest()


def _checked_header(header: Mapping[str, Any]) -> tuple[str | None, str]:
    kid, algorithm, kind = header.get("kid"), header["alg"], header.get("typ", "JWT")
    if "crit" in header or "b64" in header:
        raise TokenRefused("the token asks for an extension")
    if not isinstance(kind, str) or kind.lower() not in _TYPES:
        raise TokenRefused("this is another type of token")
    if not isinstance(algorithm, str) or not isinstance(kid, str | None) or len(kid or "") > _LONGEST_KEY_NAME:
        raise TokenRefused("the header is no header")
    return kid, algorithm


def _proven(token: str, unproven: _Unproven, key: Key | KeySet) -> dict[str, Any]:
    registry = jws.JWSRegistry(algorithms=unproven.issuer.algorithms, strict_check_header=False)
    said: dict[str, Any] = read_json(jws.deserialize_compact(token, key, registry=registry).payload)
    return said
