"""The manifest: one tool as data. What a manifest can't say, a tool can't do."""

import re
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, ConfigDict, Discriminator, Field, JsonValue, StringConstraints, Tag

from carapulse.kernel.record import Record
from carapulse.tools.expectations import Comparison, Expectation
from carapulse.tools.expressions import compiled
from carapulse.tools.model import Effect, JsonObject, Name, Reversibility, Risk
from carapulse.tools.templates import mistakes


def _expression(text: str) -> str:
    compiled(text)
    return text


def _regular(text: str) -> str:
    try:
        re.compile(text)
    except re.error as error:
        raise ValueError(f"not a regular expression: {text!r}") from error
    return text


def _template(value: JsonValue) -> JsonValue:
    for mistake in mistakes(value):
        raise ValueError(mistake)
    return value


Expression = Annotated[str, StringConstraints(min_length=1, max_length=2000), AfterValidator(_expression)]
Template = Annotated[JsonValue, AfterValidator(_template)]
Sentence = Annotated[str, StringConstraints(min_length=10, max_length=500)]
FileName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_-]*(\.[a-z]+)?$")]


class Part(Record):
    """A Record whose field `from_` is written `from` in a manifest."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)


class Argument(Part):
    """One argument made from a value. Without prefix it is positional, and may start with a dash only after `--`.

    `flag`: the literal that stands for true. `file`: the value is written there and the file's name is the argument.
    """

    from_: Expression | None = Field(default=None, alias="from")
    value: Template = None
    prefix: str = ""
    suffix: str = ""
    flag: str | None = None
    file: FileName | None = None
    each: bool = False
    multiline: bool = False
    omit_if_null: bool = False


class Segment(Part):
    """One part of a URL's path, percent-encoded; `split` makes one part of each piece between slashes."""

    from_: Expression = Field(alias="from")
    split: bool = False


class Sign(Record):
    """A pattern in what a program writes to stderr that tells what its exit code can't."""

    stderr: Annotated[str, StringConstraints(min_length=4, max_length=300), AfterValidator(_regular)]
    means: Literal["unavailable", "unknown", "refused", "failed"]


class Exits(Record):
    """What exit codes mean. `refused`: it failed before it changed anything. Any other is a failure."""

    succeeded: tuple[int, ...] = (0,)
    refused: tuple[int, ...] = ()
    unavailable: tuple[int, ...] = ()
    unknown: tuple[int, ...] = ()
    forbidden: tuple[int, ...] = ()


class ProgramRun(Record):
    """Run a program: its name, looked up on the connection's closed path, and its arguments. Never a shell."""

    program: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9._-]*$")]
    argv: tuple[str | Argument, ...]
    exits: Exits = Exits()
    signs: tuple[Sign, ...] = ()


class HttpRun(Part):
    """Make one HTTP request, to the connection's base URL and a path, or to a URL from the input.

    `prior` is a read made just before; what it answers is `prior` in the templates and never leaves this process.
    """

    prior: "HttpRun | None" = None
    method: Literal["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "LIST"] | Segment
    url: Segment | None = None
    path: tuple[str | Segment, ...] = ()
    query: dict[str, Template] = Field(default_factory=dict)
    headers: dict[str, Template] = Field(default_factory=dict)
    form: dict[str, Template] | None = None
    json_: Template = Field(default=None, alias="json")
    statuses: Annotated[tuple[int, ...], Field(min_length=1)] | Literal["any"] = (200,)

    def welcomes(self, status: int) -> bool:
        """Say whether an answer with this status is one that was asked for."""
        return self.statuses == "any" or status in self.statuses


def _kind(value: Any) -> str:  # noqa: ANN401 - raw input
    return "program" if "program" in value or isinstance(value, ProgramRun) else "http"


Run = Annotated[Annotated[ProgramRun, Tag("program")] | Annotated[HttpRun, Tag("http")], Discriminator(_kind)]


class RiskRule(Record):
    """Raises the risk when the expression holds for `input`. It can't lower it."""

    when: Expression
    risk: Risk
    reason: Sentence


class Refusal(Record):
    """Refuses an input when the expression holds for `input` and `context`."""

    when: Expression
    reason: Sentence


class Use(Record):
    """One action of the same tool, with the input that it gets."""

    action: Name
    input: dict[str, Template]


class Undo(Use):
    """The way back. `unless` says when there is nothing to undo; `otherwise` is the way back when `when` is not so."""

    unless: Expression | None = None
    when: Expression | None = None
    otherwise: Use | None = None


class SuccessRule(Record):
    """An expectation on the output of this very run; the value may be a reference, and null drops the rule."""

    path: Expression
    op: Comparison = Comparison.EQ
    value: Template = None


class Probe(Use):
    """How to find out whether a write took effect, after nobody saw how it ended."""

    applied: tuple[SuccessRule, ...] = Field(min_length=1)


class Poll(Record):
    """Ask again until the expectations hold, within the action's time."""

    every_s: float = Field(gt=0, le=60)
    until: tuple[SuccessRule, ...] = Field(min_length=1)
    stop: tuple[SuccessRule, ...] = ()


class TargetRules(Record):
    """Whom the action touches: names made of parts, and when nobody can count them."""

    names: tuple[tuple[Expression, ...], ...] = ()
    unbounded: tuple[Expression, ...] = ()


class Retries(Record):
    """How often and how patiently a run may be tried when nothing was changed."""

    attempts: int = Field(default=1, ge=1, le=10)
    backoff_s: float = Field(default=1, gt=0, le=300)
    max_backoff_s: float = Field(default=30, gt=0, le=3600)


class Output(Record):
    """What the answer is made into. `handles`: secrets that are kept aside, so that only their references are told.

    `json_stream`: a list of the documents that stand one after the other. `response`: the HTTP exchange itself.
    """

    format: Literal["json", "json_stream", "text", "none", "response"] = "json"
    select: Expression | None = None
    output_schema: JsonObject | None = Field(default=None, alias="schema")
    handles: dict[Name, Expression] = Field(default_factory=dict)
    max_bytes: int = Field(default=1_048_576, ge=1, le=16_777_216)


class Action(Part):
    """One thing a tool can do.

    After nobody saw how a write ended it is repeated (`idempotent`), asked about (`probe`) or given to a person
    (`person_resolves`).
    """

    description: Sentence
    effect: Effect
    risk: Risk
    risk_rules: tuple[RiskRule, ...] = ()
    refuse: tuple[Refusal, ...] = ()
    reversibility: Reversibility
    idempotent: bool = False
    probe: Probe | None = None
    person_resolves: bool = False
    input_schema: JsonObject = Field(alias="input")
    example: JsonObject
    run: Run
    dry_run: Run | None = None
    capture: Use | None = None
    undo: Undo | None = None
    targets: TargetRules = TargetRules()
    timeout_s: float = Field(default=30, gt=0, le=3600)
    retries: Retries = Retries()
    redact: tuple[str, ...] = ()
    output: Output = Output()
    success: tuple[SuccessRule, ...] = ()
    expectations: tuple[Expectation, ...] = ()
    poll: Poll | None = None


def _no_settings() -> JsonObject:
    return {"type": "object", "additionalProperties": False}


class Manifest(Record):
    """One tool: what it is, what a connection to it must say, and its actions."""

    tool: Name
    description: Sentence
    settings: JsonObject = Field(default_factory=_no_settings)
    needs_base_url: bool = False
    always: tuple[str | Argument, ...] = ()
    actions: dict[Name, Action] = Field(min_length=1)
