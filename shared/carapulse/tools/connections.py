"""Connections: which credentials and addresses a tool uses, for which tenant and place. Never one for all."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import AfterValidator, Field, JsonValue, StringConstraints, field_validator, model_validator

from carapulse.kernel.context import Context
from carapulse.kernel.errors import Fault
from carapulse.kernel.pointers import escaped
from carapulse.kernel.record import Record
from carapulse.tools.catalogue import Catalogue
from carapulse.tools.errors import AmbiguousConnection, ConnectionsInvalid, NoConnection
from carapulse.tools.loading import parsed, read_document
from carapulse.tools.model import Name
from carapulse.tools.ports import Limits
from carapulse.tools.schemas import InputSchema

_FIELD = r"[A-Za-z0-9_.-]{1,100}"
SECRET = (
    r"^(env:[A-Za-z_][A-Za-z0-9_]*|file:/.+"
    rf"|aws:[A-Za-z0-9/_+=.@:-]{{1,512}}(#{_FIELD})?"
    rf"|gcp:[a-z0-9][a-z0-9.:-]{{0,62}}/[A-Za-z0-9_-]{{1,255}}(#{_FIELD})?"
    rf"|vault:[A-Za-z0-9_][A-Za-z0-9_.-]{{0,99}}(/[A-Za-z0-9_][A-Za-z0-9_.-]{{0,99}}){{1,10}}#{_FIELD})$"
)
Address = Annotated[str, StringConstraints(pattern=r"^(\[[0-9a-fA-F:]+\]|[A-Za-z0-9._-]+):[0-9]{1,5}$")]
Folder = Annotated[str, StringConstraints(pattern=r"^/[^\x00\n]*$")]


class SecretReference(Record):
    """Where a secret is kept. It is read at each use, so that a new one counts at once."""

    secret: Annotated[str, StringConstraints(pattern=SECRET)]
    prefix: Annotated[str, StringConstraints(max_length=32)] = ""


Text = Annotated[str, StringConstraints(pattern=r"^[^\x00\r\n]*$")] | SecretReference


def _listed(value: Any) -> Any:  # noqa: ANN401 - raw input
    return (value,) if isinstance(value, str) else value


class Match(Record):
    """The tenants and places that a connection is for; what is left out is not asked."""

    tenant: tuple[str, ...] = ()
    environment: tuple[str, ...] = ()
    cluster_id: tuple[str, ...] = ()
    namespace: tuple[str, ...] = ()
    service: tuple[str, ...] = ()
    region: tuple[str, ...] = ()
    aws_account_id: tuple[str, ...] = ()
    argocd_project: tuple[str, ...] = ()
    grafana_org_id: tuple[str, ...] = ()

    _one_is_a_list = field_validator("*", mode="before")(_listed)

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if not any(getattr(self, name) for name in type(self).model_fields):
            raise ValueError("a connection is for somebody or some place, never for all")
        return self

    def fit(self, tenant: str, context: Context) -> int | None:
        """Return how many conditions hold, or None if one does not."""
        place = {**context.model_dump(), "tenant": tenant}
        asked = {name: getattr(self, name) for name in type(self).model_fields if getattr(self, name)}
        return len(asked) if all(place[name] in allowed for name, allowed in asked.items()) else None


def _known_scheme(url: str) -> str:
    if not url.startswith(("http://", "https://")):
        raise ValueError("an address begins with http:// or https://")
    return url.rstrip("/")


class Connection(Record):
    """How one tool is reached. `settings` is what its manifest's templates see as `connection`."""

    tool: Name
    name: Name
    match: Match
    base_url: Annotated[str, AfterValidator(_known_scheme)] | None = None
    headers: dict[str, Text] = Field(default_factory=dict)
    ca_file: Folder | None = None
    may_reach: tuple[Address, ...] = ()
    environment: dict[str, Text] = Field(default_factory=dict)
    search_path: tuple[Folder, ...] = ()
    secrets: dict[Name, SecretReference] = Field(default_factory=dict)
    secret_folder: Folder | None = None
    settings: dict[str, JsonValue] = Field(default_factory=dict)
    limits: Limits = Limits()


class _File(Record):
    connections: tuple[Connection, ...] = Field(min_length=1)


@dataclass(frozen=True, slots=True)
class Connections:
    """Every connection there is."""

    all: tuple[Connection, ...] = ()

    @classmethod
    def load(cls, path: Path, catalogue: Catalogue) -> Self:
        """Return the connections of a YAML file, or raise ConnectionsInvalid with every fault."""
        file, faults = parsed(_File, read_document(path, ConnectionsInvalid))
        if file is None or (faults := tuple(_faults(file.connections, catalogue))):
            raise ConnectionsInvalid("the connections can't be used", faults=faults, file=path.name)
        return cls(file.connections)

    def choose(self, tool: str, tenant: str, context: Context) -> Connection:
        """Return the one that fits most exactly. NoConnection if none does, AmbiguousConnection if several do."""
        fits = ((each.match.fit(tenant, context), each) for each in self.all if each.tool == tool)
        fitting = [(fit, each) for fit, each in fits if fit is not None]
        if not fitting:
            raise NoConnection("no connection for this place", tool=tool, environment=context.environment)
        best = max(fit for fit, _ in fitting)
        chosen = [each for fit, each in fitting if fit == best]
        if len(chosen) > 1:
            names = sorted(each.name for each in chosen)
            raise AmbiguousConnection("several connections fit equally well", tool=tool, connections=names)
        return chosen[0]


def _faults(connections: tuple[Connection, ...], catalogue: Catalogue) -> list[Fault]:
    faults: list[Fault] = []
    seen: set[tuple[str, str]] = set()
    for number, each in enumerate(connections):
        place = f"/connections/{number}"
        manifest = catalogue.manifests.get(each.tool)
        if manifest is None:
            faults.append(Fault(pointer=f"{place}/tool", code="unknown-tool", detail="there is no such tool"))
            continue
        if (each.tool, each.name) in seen:
            faults.append(Fault(pointer=f"{place}/name", code="twice", detail="this name is taken"))
        seen.add((each.tool, each.name))
        if manifest.needs_base_url and each.base_url is None:
            faults.append(Fault(pointer=f"{place}/base_url", code="missing", detail="this tool needs an address"))
        faults += InputSchema(manifest.settings).faults(each.settings, f"{place}/settings")
        faults += _bad_references(each.settings, f"{place}/settings")
    return faults


def _bad_references(value: Any, place: str) -> list[Fault]:  # noqa: ANN401 - any JSON value
    if isinstance(value, dict) and "secret" in value:
        return [each.model_copy(update={"pointer": place + each.pointer}) for each in parsed(SecretReference, value)[1]]
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [fault for key, item in items for fault in _bad_references(item, f"{place}/{escaped(str(key))}")]
