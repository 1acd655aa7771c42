"""What operators tune, in the shape the guards rely on. A wrong file stops the start; it never loosens a rule."""

from typing import Annotated, Literal, Self

from pydantic import Field, Strict, model_validator

from carapulse.kernel.record import Record

Count = Annotated[int, Strict(), Field(ge=0, le=100)]
Positive = Annotated[int, Strict(), Field(ge=1, le=100_000)]
Flag = Annotated[bool, Strict()]
Minute = Annotated[int, Strict(), Field(ge=0, le=1440)]
UnixTime = Annotated[int, Strict(), Field(ge=0, lt=2**33)]
Name = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]*$", max_length=63)]
Risk = Literal["read", "low", "medium", "high"]


class Environment(Record):
    """An environment that may be named at all."""

    production: Flag


class Roles(Record):
    """Which roles exist, and which of them may do what."""

    known: tuple[Name, ...]
    request: tuple[Name, ...]
    approve: tuple[Name, ...]
    break_glass: tuple[Name, ...]

    @model_validator(mode="after")
    def _only_known(self) -> Self:
        if unknown := {*self.request, *self.approve, *self.break_glass} - {*self.known}:
            raise ValueError(f"not among the known roles: {', '.join(sorted(unknown))}")
        return self


class Actions(Record):
    """Writes to our own records that need no plan."""

    without_plan: tuple[str, ...]

    @model_validator(mode="after")
    def _never_about_plans(self) -> Self:
        if changing := [name for name in self.without_plan if name.split(".")[0] in {"plan", "step", "workflow"}]:
            raise ValueError(f"always needs a plan: {', '.join(changing)}")
        return self


class ByRisk(Record):
    """How many must approve, by risk."""

    read: Count
    low: Count
    medium: Count
    high: Count


class RiskTable(Record):
    """How many must approve, by risk and by kind of environment."""

    production: ByRisk
    other: ByRisk


class ByTier(Record):
    """How many must approve, by kind of environment."""

    production: Count
    other: Count


class Approvals(Record):
    """How many must approve, and because of what."""

    risk: RiskTable
    account_wide: ByTier
    unbounded: ByTier
    irreversible: ByTier
    many_targets: ByTier
    untrusted: ByTier
    break_glass: ByTier


class Limits(Record):
    """How many targets one plan may have."""

    production_targets: Positive
    default_targets: Positive
    most_targets: Positive


class Freeze(Record):
    """A time in which an environment (`*`: every one) is not changed. Plans for later may be drafted if it says so."""

    environment: Name | Literal["*"]
    from_unix: UnixTime
    until_unix: UnixTime
    reason: str
    allow_drafts: Flag = False

    @model_validator(mode="after")
    def _ends_after_it_begins(self) -> Self:
        if self.until_unix <= self.from_unix:
            raise ValueError("a freeze ends after it begins")
        return self


class Window(Record):
    """A time of the week, in UTC, in which an environment may be changed. One over midnight is written as two."""

    environment: Name
    weekdays: Annotated[tuple[Annotated[int, Strict(), Field(ge=0, le=6)], ...], Field(min_length=1)]
    start_minute: Minute
    end_minute: Minute

    @model_validator(mode="after")
    def _ends_after_it_begins(self) -> Self:
        if self.end_minute <= self.start_minute:
            raise ValueError("a window ends after it begins; write one that crosses midnight as two")
        return self


class BreakGlassRules(Record):
    """What a broken glass needs, and which risks can't act without one."""

    shortest_reason: Positive
    longest_minutes: Positive
    required_for_risk: tuple[Risk, ...]


class PolicyData(Record):
    """All that stands in `policies/data/`. Every environment that is named elsewhere must exist."""

    environments: Annotated[dict[Name, Environment], Field(min_length=1)]
    roles: Roles
    actions: Actions
    approvals: Approvals
    limits: Limits
    freezes: tuple[Freeze, ...]
    windows: tuple[Window, ...]
    break_glass: BreakGlassRules

    @model_validator(mode="after")
    def _names_only_known_environments(self) -> Self:
        named = {freeze.environment for freeze in self.freezes} | {window.environment for window in self.windows}
        if unknown := named - {*self.environments, "*"}:
            raise ValueError(f"not among the environments: {', '.join(sorted(unknown))}")
        return self
