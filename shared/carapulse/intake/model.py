"""Sources and their routes: who may report, how they prove it, and what their alerts lead to. Pure values."""

from collections.abc import Iterator, Mapping
from typing import Annotated, Literal, Self

from pydantic import AwareDatetime, Field, JsonValue, StringConstraints, model_validator

from carapulse.intake.alertmanager import LabelName
from carapulse.intake.errors import RouteInvalid
from carapulse.intake.matching import Regex, matches
from carapulse.intake.templates import mistakes
from carapulse.kernel.call import Actor
from carapulse.kernel.context import Context, Name
from carapulse.kernel.errors import Fault
from carapulse.kernel.names import Slug
from carapulse.kernel.record import Record

SourceName = Slug
WorkflowName = Annotated[str, StringConstraints(max_length=63, pattern=r"^[a-z0-9][a-z0-9_-]*$")]
Trust = Literal["signed", "path_token"]
Reference = dict[str, JsonValue]

SERVICE_LABELS = ("service", "service_name", "app", "application", "job")
KEY_LABELS = ("cluster", "namespace", "region")


class RouteContext(Record):
    """What a route says about where the change happens, on top of the source's own context.

    Only the service and the namespace may come out of an alert. The rest decides which rules apply and which system is
    reached, so it is the administrator's word alone: an alert that calls production `dev` changes nothing.
    """

    environment: Annotated[str, StringConstraints(max_length=63, pattern=r"^[a-z0-9][a-z0-9-]*$")] | None = None
    cluster_id: Name | None = None
    namespace: Name | Reference | None = None
    service: Name | Reference | None = None
    region: Name | None = None
    aws_account_id: Name | None = None
    argocd_project: Name | None = None
    grafana_org_id: Name | None = None


class Route(Record):
    """Which alerts lead to which workflow, with which input. The first route that fits an alert takes it."""

    name: SourceName
    match: dict[LabelName, str | Regex] = Field(max_length=32)
    workflow: WorkflowName
    input: dict[str, JsonValue] = Field(default_factory=dict, max_length=64)
    context: RouteContext = RouteContext()

    def fits(self, labels: Mapping[str, str]) -> bool:
        """Say whether an alert with these labels is this route's."""
        return matches(self.match, labels)

    def mistakes(self, pointer: str) -> Iterator[Fault]:
        """Yield what can't work in this route, whatever the alert."""
        yield from mistakes(self.input, f"{pointer}/input")
        for name in ("namespace", "service"):
            yield from mistakes(getattr(self.context, name), f"{pointer}/context/{name}")


class Registration(Record):
    """What an administrator says about a source; putting the same again changes nothing."""

    kind: Literal["alertmanager"] = "alertmanager"
    trust: Trust
    context: Context
    routes: tuple[Route, ...] = Field((), max_length=100)
    service_labels: tuple[LabelName, ...] = Field(SERVICE_LABELS, min_length=1, max_length=16)
    key_labels: tuple[LabelName, ...] = Field(KEY_LABELS, max_length=16)

    @model_validator(mode="after")
    def name_routes_once(self) -> Self:
        """Refuse two routes of one name: events and alerts name the route that was taken."""
        names = [route.name for route in self.routes]
        if len(set(names)) != len(names):
            raise ValueError("two routes have the same name")
        return self

    def check(self) -> None:
        """Return if every route can work, or raise RouteInvalid with each fault."""
        numbered = enumerate(self.routes)
        faults = tuple(fault for number, route in numbered for fault in route.mistakes(f"/routes/{number}"))
        if faults:
            raise RouteInvalid("a route of the registration can't work", faults=faults)


class Source(Record):
    """A registered sender. The tenant is its registration's, never a payload's; the id is what its address carries."""

    id: str
    name: SourceName
    registration: Registration
    revision: int = Field(1, ge=1, description="grows with every change of the registration")
    created_at: AwareDatetime
    updated_at: AwareDatetime
    authors: tuple[str, ...] = Field(
        (),
        description="everybody who registered or changed it or was shown its proof, or whose key was: none of them may"
        " approve its plans",
    )

    @property
    def trusted(self) -> bool:
        """Whether every message proves who sent it. A token in a path is seen by every proxy on the way."""
        return self.registration.trust == "signed"

    @property
    def actor(self) -> Actor:
        """Whom its plans are requested by. It may ask like an operator; approving needs a person (see identity)."""
        return source_actor(self.name)

    def changed(self, registration: Registration, by: Actor, at: AwareDatetime) -> Self:
        """Return this source with another registration."""
        changes = {"registration": registration, "revision": self.revision + 1, "updated_at": at}
        return self.written_by(by).model_copy(update=changes)

    def written_by(self, actor: Actor) -> Self:
        """Return this source with one more who can decide what it asks for: by its registration, or in its name."""
        return self.model_copy(update={"authors": tuple(sorted({*self.authors, *actor.answerable}))})

    def route_for(self, labels: Mapping[str, str]) -> Route | None:
        """Return the first route that fits, if there is one."""
        return next((route for route in self.registration.routes if route.fits(labels)), None)

    def route_named(self, name: str | None) -> Route | None:
        """Return the route of that name, if it is still registered."""
        return next((route for route in self.registration.routes if route.name == name), None)

    def service_of(self, labels: Mapping[str, str]) -> str | None:
        """Return the service that an alert is about: the first of the agreed labels that is not empty."""
        return next((labels[name] for name in self.registration.service_labels if labels.get(name)), None)


class Credential(Record):
    """One proof that a source may use: a sealed signing secret, or the digest of a path token; never both."""

    id: str
    source_id: str
    sealed: str | None = Field(None, description="base64; only the installation's key opens it", repr=False)
    token_digest: str | None = Field(None, repr=False)
    created_at: AwareDatetime
    expires_at: AwareDatetime | None = None


def source_actor(name: str) -> Actor:
    """Return the actor that a source of this name is."""
    return Actor(id=f"source:{name}", kind="service", roles=frozenset({"service", "operator"}))
