"""The words for one use of a tool: how dangerous it is, what is asked, what came of it, whom it touches."""

from enum import StrEnum
from typing import Annotated, Any

from pydantic import Field, JsonValue, StringConstraints

from carapulse.kernel.context import Context
from carapulse.kernel.record import Record

Name = Annotated[str, StringConstraints(min_length=1, max_length=63, pattern=r"^[a-z][a-z0-9]*([_-][a-z0-9]+)*$")]
JsonObject = dict[str, JsonValue]
WAIT = "wait"  # what a step of a plan that only waits is called; no tool may have this name


class Risk(StrEnum):
    """How much harm an action could do, in order: `max` of several is the most dangerous."""

    READ = "read"
    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"

    @property
    def rank(self) -> int:
        """The place in the order, from 0."""
        return list(Risk).index(self)

    def __lt__(self, other: object) -> bool:
        return self.rank < other.rank if isinstance(other, Risk) else NotImplemented

    def __le__(self, other: object) -> bool:
        return self.rank <= other.rank if isinstance(other, Risk) else NotImplemented

    def __gt__(self, other: object) -> bool:
        return self.rank > other.rank if isinstance(other, Risk) else NotImplemented

    def __ge__(self, other: object) -> bool:
        return self.rank >= other.rank if isinstance(other, Risk) else NotImplemented


class Effect(StrEnum):
    """What an action does to the world."""

    READ = "read"
    WRITE = "write"
    DESTRUCTIVE = "destructive"


class Reversibility(StrEnum):
    """Whether there is a way back."""

    REVERSIBLE = "reversible"
    COMPENSABLE = "compensable"
    IRREVERSIBLE = "irreversible"
    NONE_NEEDED = "none_needed"


class Mode(StrEnum):
    """Which of an action's four faces is meant.

    `capture` reads what undo will need. `probe` asks whether an earlier run took effect: its outcome is succeeded
    for yes, failed for no, unknown if the answer does not say.
    """

    RUN = "run"
    DRY_RUN = "dry_run"
    PROBE = "probe"
    CAPTURE = "capture"


class Invocation(Record):
    """One use of one action, for one tenant, in one place. `captured` is what the capture before it saw."""

    tool: str
    action: str
    input: JsonObject
    context: Context
    tenant: str = Field(min_length=1)
    mode: Mode = Mode.RUN
    captured: JsonValue = None


class OutcomeKind(StrEnum):
    """What is known after an invocation. `unknown`: a write whose effect nobody can be sure of."""

    SUCCEEDED = "succeeded"
    FAILED = "failed"
    UNKNOWN = "unknown"


class Outcome(Record):
    """What came of an invocation. Output and text are redacted; output is None unless it was read whole.

    `unchanged`: it failed, and it is certain that nothing was changed, so there is nothing to undo.
    """

    kind: OutcomeKind
    detail: str
    output: Any = None
    text: str = ""
    exit_code: int | None = None
    http_status: int | None = None
    truncated: bool = False
    unchanged: bool = False
    duration_ms: int = 0


class Targets(Record):
    """Whom an invocation touches: stable names, fit for locks, and whether nobody can count them."""

    names: tuple[str, ...] = ()
    unbounded: bool = False

    @property
    def count(self) -> int:
        """How many are named."""
        return len(self.names)
