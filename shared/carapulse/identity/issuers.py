"""Issuers that an installation chose: whom they speak for, and how what they say becomes one of our words."""

from collections.abc import Iterator, Mapping
from itertools import combinations
from typing import Annotated, Any, Self, TypeVar

from pydantic import AfterValidator, Field, StringConstraints, TypeAdapter, model_validator

from carapulse.identity.addresses import IssuerUrl
from carapulse.identity.claims import ClaimPath, Word, find
from carapulse.identity.errors import TokenRefused
from carapulse.identity.model import OURS, Kind, Principal, Proof, Role, Subject, Tenant
from carapulse.identity.scopes import Scopes
from carapulse.identity.tokens import Algorithm
from carapulse.kernel.call import Actor, Scope
from carapulse.kernel.errors import Fault
from carapulse.kernel.record import Record

Item = TypeVar("Item")
_SUBJECT: TypeAdapter[str] = TypeAdapter(Subject)


def _some(value: tuple[Item, ...]) -> tuple[Item, ...]:
    """Refuse what is empty; a limit on the field would complain of wrong items a second time."""
    if not value:
        raise ValueError("there must be at least one")
    return value


class Tenants(Record):
    """Which tenants an issuer may speak for: one, or one of a closed list that a claim names."""

    fixed: Tenant | None = None
    claim: ClaimPath | None = None
    allowed: tuple[Tenant, ...] = ()

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        by_claim = self.claim is not None and bool(self.allowed)
        if (self.fixed is not None) == by_claim or (self.claim is None) != (not self.allowed):
            raise ValueError("say `fixed`, or `claim` with the tenants that are `allowed`, which are at least one")
        return self

    @property
    def all(self) -> frozenset[str]:
        """Every tenant that can come out."""
        return frozenset(self.allowed) if self.fixed is None else frozenset({self.fixed})

    def of(self, said: Mapping[str, Any]) -> str:
        """Return the tenant of a token, or raise TokenRefused."""
        if self.fixed is not None:
            return self.fixed
        named = find(said, self.claim or ())
        if not isinstance(named, str) or named not in self.allowed:
            raise TokenRefused("the issuer may not speak for this tenant")
        return named


class Roles(Record):
    """Which roles a token gives: what is not in the mapping gives nothing."""

    claim: ClaimPath
    mapping: Annotated[dict[Word, Role], Field(min_length=1)]

    def of(self, said: Mapping[str, Any]) -> frozenset[Role]:
        """Return the roles of a token; none if it names none. TokenRefused for what is no list of words."""
        named = find(said, self.claim)
        listed = [] if named is None else [named] if isinstance(named, str) else named
        if not isinstance(listed, list) or not all(isinstance(each, str) for each in listed):
            raise TokenRefused("the roles are no list of words")
        return frozenset(self.mapping[each] for each in listed if each in self.mapping)


class Kinds(Record):
    """What a token speaks for. `default` holds if it doesn't say; null then refuses it."""

    default: Kind | None = "person"
    claim: ClaimPath | None = None
    values: dict[Word, Kind] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if (self.claim is None) != (not self.values):
            raise ValueError("`claim` and `values` belong together")
        if self.default is None and self.claim is None:
            raise ValueError("without a `claim` there must be a `default`")
        return self

    def of(self, said: Mapping[str, Any]) -> Kind:
        """Return the kind of a token; TokenRefused for a value that is not listed, which may not pass for a person."""
        named = None if self.claim is None else find(said, self.claim)
        kind = self.default if named is None else self.values.get(named) if isinstance(named, str) else None
        if kind is None:
            raise TokenRefused("the token does not say what it speaks for")
        return kind


class TrustedIssuer(Record):
    """One issuer, as far as it is trusted."""

    issuer: IssuerUrl
    audience: Word
    algorithms: Annotated[tuple[Algorithm, ...], AfterValidator(_some)]
    tenants: Tenants
    roles: Roles
    scope: Scopes | None = None
    kind: Kinds = Kinds()
    subject_claim: ClaimPath = ("sub",)
    subject_prefix: Annotated[str, StringConstraints(max_length=32, pattern=r"^([A-Za-z0-9][A-Za-z0-9._:@/-]*)?$")] = ""
    ca_file: Annotated[str, StringConstraints(pattern=r"^/[^\x00\n]*$")] | None = None

    def principal(self, said: Mapping[str, Any], expires_at: float) -> Principal:
        """Return who a verified token speaks for, or raise TokenRefused or ValidationError."""
        named = find(said, self.subject_claim)
        if not isinstance(named, str) or not named:
            raise TokenRefused("the token has no subject")
        subject = _SUBJECT.validate_python(self.subject_prefix + named)
        if subject.startswith(OURS):
            raise TokenRefused("no issuer may speak for keys and sources")
        scope = Scope() if self.scope is None else self.scope.of(said)
        actor = Actor(id=subject, kind=self.kind.of(said), roles=self.roles.of(said), scope=scope)
        named_by_issuer = said.get("jti")
        proof = Proof(kind="token", id=named_by_issuer if isinstance(named_by_issuer, str) else None)
        return Principal(actor=actor, tenant=self.tenants.of(said), expires_at=expires_at, proof=proof)


class IssuersFile(Record):
    """Everybody whose tokens are believed."""

    issuers: Annotated[tuple[TrustedIssuer, ...], AfterValidator(_some)]


def contradictions(issuers: tuple[TrustedIssuer, ...]) -> Iterator[Fault]:
    """Yield what is wrong between issuers that are right each by itself."""
    for (_, one), (number, other) in combinations(enumerate(issuers), 2):
        if one.issuer.rstrip("/") == other.issuer.rstrip("/"):
            yield Fault(pointer=f"/issuers/{number}/issuer", code="twice", detail="this issuer is listed already")
        elif one.tenants.all & other.tenants.all and _overlap(one.subject_prefix, other.subject_prefix):
            yield Fault(
                pointer=f"/issuers/{number}/subject_prefix",
                code="ambiguous-subject",
                detail="two issuers of one tenant need prefixes that tell their subjects apart",
            )


def _overlap(one: str, other: str) -> bool:
    """Say whether two issuers could name the same subject, and so pass for each other."""
    return one.startswith(other) or other.startswith(one)
