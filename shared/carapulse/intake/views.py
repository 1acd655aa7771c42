"""What the intake shows. No view holds a proof, but the one answer to whoever asked for it."""

from collections.abc import Sequence
from typing import Self

from pydantic import AwareDatetime, Field

from carapulse.intake.model import Credential, Registration, Source
from carapulse.kernel.record import Record

_WEBHOOKS = "/v1/webhooks/alertmanager"


class CredentialView(Record):
    """A proof that holds, without what proves."""

    id: str
    created_at: AwareDatetime
    expires_at: AwareDatetime | None


class SourceView(Registration):
    """A source as an administrator sees it: its registration, where it reports to, and which proofs hold."""

    id: str
    name: str
    path: str
    revision: int
    created_at: AwareDatetime
    updated_at: AwareDatetime
    authors: tuple[str, ...] = Field(
        description="everybody who registered or changed it or was shown its proof: none of them may approve its plans"
    )
    credentials: tuple[CredentialView, ...]


class Issued(Record):
    """A source, and its new proof if it has one: a signing secret, or the path that carries a token. Shown once."""

    source: SourceView
    secret: str | None = None
    secret_path: str | None = None
    created: bool

    @classmethod
    def of(cls, source: SourceView, proof: str, *, created: bool) -> Self:
        """Return a source with the proof that it was given just now."""
        if source.trust == "signed":
            return cls(source=source, secret=proof, created=created)
        return cls(source=source, secret_path=f"{source.path}/{proof}", created=created)


class Received(Record):
    """The answer to whoever reports: it is kept, and will be looked into."""

    received: bool = True
    delivery_id: str


def view_of(source: Source, credentials: Sequence[Credential]) -> SourceView:
    """Return a source without its secrets."""
    return SourceView(
        **dict(source.registration),
        id=source.id,
        name=source.name,
        path=f"{_WEBHOOKS}/{source.id}",
        revision=source.revision,
        created_at=source.created_at,
        updated_at=source.updated_at,
        authors=source.authors,
        credentials=tuple(
            CredentialView(id=each.id, created_at=each.created_at, expires_at=each.expires_at) for each in credentials
        ),
    )
