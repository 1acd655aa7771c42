"""What a token of an issuer outside may touch: claims that become the scope, each dimension by itself."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import Field, ValidationError, model_validator

from carapulse.identity.claims import ClaimPath, Word, find_surely
from carapulse.identity.errors import TokenRefused
from carapulse.kernel.call import Names, Scope
from carapulse.kernel.context import Name
from carapulse.kernel.record import Record


class ScopeClaim(Record):
    """Which names a claim gives. `missing` says what a token that has no such claim may touch; it has no default."""

    claim: ClaimPath
    missing: Literal["refused", "nothing", "everything"]
    mapping: Annotated[dict[Word, Annotated[Names, Field(min_length=1)]], Field(min_length=1)] | None = None

    def of(self, said: Mapping[str, Any]) -> tuple[Name, ...] | None:
        """Return the names, or None for everything; TokenRefused for what is no list of words."""
        found = find_surely(said, self.claim)
        if not found:
            return self._unsaid()
        listed = [found[0]] if isinstance(found[0], str) else found[0]
        if not isinstance(listed, list) or not all(isinstance(each, str) for each in listed):
            raise TokenRefused("the scope is no list of words")
        if self.mapping is None:
            return tuple(listed)
        return tuple(name for each in listed for name in self.mapping.get(each, ()))

    def _unsaid(self) -> tuple[Name, ...] | None:
        if self.missing == "refused":
            raise TokenRefused("the token does not say what it may touch")
        return () if self.missing == "nothing" else None


class Scopes(Record):
    """Which claims give which part of the scope. A part that is not listed here is everything."""

    environments: ScopeClaim | None = None
    services: ScopeClaim | None = None
    clusters: ScopeClaim | None = None

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if not any(claim for _, claim in self):
            raise ValueError("say at least one of `environments`, `services` and `clusters`")
        return self

    def of(self, said: Mapping[str, Any]) -> Scope:
        """Return what a token may touch, or raise TokenRefused: also for a name that nothing can have."""
        names = {part: None if claim is None else claim.of(said) for part, claim in self}
        try:
            return Scope.model_validate(names)
        except ValidationError as error:
            raise TokenRefused("the scope has names in it that nothing has") from error
