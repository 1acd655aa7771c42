"""The one document that policy judges, and the only thing it knows. `policies/schema/input.json` is rendered from it.

It says what is so, even when that is wrong: a blank actor, an environment nobody knows or a window that makes no sense
can be written down here, because refusing them is the policy's work and must not depend on who wrote the document.
"""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Literal, Self

from pydantic import Field, Strict, StringConstraints

from carapulse.kernel.call import Actor, Call
from carapulse.kernel.canonical import digest
from carapulse.kernel.context import Context
from carapulse.kernel.record import Record

Risk = Literal["read", "low", "medium", "high"]
Effect = Literal["read", "write", "destructive"]
BlastRadius = Literal["namespace", "cluster", "account"]
Stage = Literal["diagnose", "act", "verify", "report", "undo"]
Flag = Annotated[bool, Strict()]
Integer = Annotated[int, Strict(), Field(ge=-(2**63), lt=2**63)]
# Blank text is empty text before rules see it: the one engine's trim_space reads escapes once more than it should.
Trimmed = Annotated[str, StringConstraints(strip_whitespace=True)]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_EXACT_IN_JSON = 2**53


class AskedScope(Record):
    """What the asker may touch, by exact names. Null is everything, an empty list nothing."""

    environments: tuple[str, ...] | None = None
    services: tuple[str, ...] | None = None
    clusters: tuple[str, ...] | None = None


class Asker(Record):
    """Who asks, with the roles that were proven, and what they may touch."""

    id: Trimmed
    kind: Literal["person", "service", "agent"]
    roles: tuple[str, ...]
    scope: AskedScope = AskedScope()

    @classmethod
    def of(cls, actor: Actor) -> Self:
        """Return an actor as policy sees it."""
        scope = AskedScope(**dict(actor.scope))
        return cls(id=actor.id, kind=actor.kind, roles=tuple(sorted(actor.roles)), scope=scope)


class AskedCall(Record):
    """Who asks, and for which tenant. For a step it is whoever had the plan executed, never the engine."""

    actor: Asker
    tenant: str


class Action(Record):
    """What is asked for. Drafting and executing a plan are writes, also when its steps only read."""

    name: Annotated[str, StringConstraints(pattern=r"^[a-z_]+\.[a-z_]+$")]
    type: Literal["read", "write"]
    stage: Stage | None = None


class Place(Record):
    """Where it would happen and whose that is. `environment` is null for what has none, like a list of plans."""

    tenant: str
    environment: str | None
    cluster_id: str | None = None
    namespace: str | None = None
    service: str | None = None
    region: str | None = None
    aws_account_id: str | None = None
    argocd_project: str | None = None
    grafana_org_id: str | None = None

    @classmethod
    def of(cls, tenant: str, context: Context | None) -> Self:
        """Return the place that a tenant's context describes; without one, the tenant as a whole."""
        return cls(tenant=tenant, **(context.model_dump() if context else {"environment": None}))


class JudgedStep(Record):
    """What policy needs to know about one step."""

    tool: str
    action: str
    effect: Effect
    risk: Risk
    stage: Stage


class JudgedPlan(Record):
    """What policy needs to know about a plan. `trusted` says whether whoever triggered it was authenticated."""

    risk: Risk
    targets: Annotated[Integer, Field(ge=0)]
    unbounded: Flag
    blast_radius: BlastRadius
    trigger: str
    trusted: Flag
    requested_by: Trimmed
    requested_for: Annotated[Trimmed | None, Field(description="who answers for the key that asked")] = None
    authors: Annotated[tuple[Trimmed, ...], Field(description="who wrote the schedule or the source that asked")] = ()
    irreversible: Flag
    steps: tuple[JudgedStep, ...]


class WindowNow(Record):
    """A daily window and the present moment, as minutes of the day in the window's time zone; the end is outside."""

    start_minute: Integer
    end_minute: Integer
    now_minute: Integer


class Limits(Record):
    """What the requester wants the change kept to. Null is no such wish."""

    allowed_environments: tuple[str, ...] | None = None
    max_targets: Integer | None = None
    maintenance_window: WindowNow | None = None


class BreakGlass(Record):
    """Somebody takes the responsibility for a change that a freeze or a window forbids."""

    reason: Trimmed
    by: Trimmed
    until_ns: Integer


class LentAnswer(Record):
    """Somebody who may answer a plan has handed that answer to another person, until a moment."""

    by: Trimmed
    to: Trimmed
    until_ns: Integer


class FreezeNow(Record):
    """A freeze that holds here now; `until_ns` is null for one that holds until it is lifted."""

    name: str
    reason: str
    until_ns: Integer | None
    allow_drafts: Flag


class Standing(Record):
    """What people have declared for this place: the freezes that hold now, and whether its windows are closed now.

    A place without maintenance windows is never closed.
    """

    freezes: tuple[FreezeNow, ...]
    closed_window: Flag


class PolicyInput(Record):
    """Everything a decision may depend on, the time included. Times are integers: nanoseconds since 1970."""

    call: AskedCall
    action: Action
    context: Place
    plan: JudgedPlan | None = None
    constraints: Limits = Limits()
    standing: Standing
    break_glass: BreakGlass | None = None
    lent_answer: LentAnswer | None = None
    self_approval_environments: tuple[str, ...] = ()
    now_ns: Integer

    @classmethod
    def of(  # noqa: PLR0913 - one name for each thing a decision depends on
        cls,
        call: Call,
        action: Action,
        context: Context | None,
        *,
        at: datetime,
        standing: Standing,
        tenant: str | None = None,
        plan: JudgedPlan | None = None,
        constraints: Limits | None = None,
        break_glass: BreakGlass | None = None,
        lent_answer: LentAnswer | None = None,
        self_approval_environments: Iterable[str] = (),
    ) -> Self:
        """Return the document for a call. `at` is now; `tenant` owns what is asked for, by default the caller's."""
        return cls(
            call=AskedCall(actor=Asker.of(call.actor), tenant=call.tenant),
            action=action,
            context=Place.of(call.tenant if tenant is None else tenant, context),
            plan=plan,
            constraints=constraints or Limits(),
            standing=standing,
            break_glass=break_glass,
            lent_answer=lent_answer,
            self_approval_environments=tuple(sorted(self_approval_environments)),
            now_ns=nanoseconds(at),
        )

    def document(self) -> dict[str, Any]:
        """Return the JSON object that the engine is asked about."""
        return self.model_dump(mode="json")

    def digest(self) -> str:
        """Return the digest of the document. RFC 8785 ends at 2^53, so larger integers become decimal strings."""
        return digest(_exact(self.document()))


def nanoseconds(at: datetime) -> int:
    """Return a moment as whole nanoseconds since 1970, without passing through a float."""
    return (at - _EPOCH) // timedelta(microseconds=1) * 1000


def _exact(value: Any) -> Any:  # noqa: ANN401 - any JSON value
    if isinstance(value, dict):
        return {key: _exact(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_exact(item) for item in value]
    if isinstance(value, int) and abs(value) >= _EXACT_IN_JSON:
        return str(value)
    return value
