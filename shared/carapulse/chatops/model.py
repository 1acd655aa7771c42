"""Workspaces, links and what is said in a chat. Pure values."""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Final, Literal, Self

from pydantic import AfterValidator, AwareDatetime, Field, SecretStr, StringConstraints

from carapulse.identity.model import Principal
from carapulse.kernel.call import Actor, Call
from carapulse.kernel.names import Slug
from carapulse.kernel.record import Record

WorkspaceName = Slug
TeamId = Annotated[str, StringConstraints(pattern=r"^[TE][A-Z0-9]{1,31}$")]
ChatUser = Annotated[str, StringConstraints(pattern=r"^[UW][A-Z0-9]{1,31}$")]
ChannelId = Annotated[str, StringConstraints(pattern=r"^[A-Z0-9]{1,32}$")]
ResponseUrl = Annotated[str, StringConstraints(min_length=1, max_length=2000, pattern=r"^[!-~]+$")]
APPROVE, DENY = "carapulse.approve", "carapulse.deny"
"""What the two buttons are called in every message of ours; their value is `<plan id> <digest>`."""


_PLAIN: Final = "^[!-~]+$"


def _plain(secret: SecretStr) -> SecretStr:
    """Refuse what was pasted with a space or a line break: no request would ever prove itself by it."""
    if not re.fullmatch(_PLAIN, secret.get_secret_value()):
        raise ValueError("a signing secret is one word of plain letters, digits and signs")
    return secret


class RegisterWorkspace(Record):
    """What an administrator says about a workspace; putting the same again changes nothing."""

    kind: Literal["slack"] = "slack"
    team_id: TeamId
    signing_secret: Annotated[
        SecretStr, Field(min_length=16, max_length=128, json_schema_extra={"pattern": _PLAIN}), AfterValidator(_plain)
    ]


class Workspace(Record):
    """A registered workspace. The tenant is its registration's; the id is what its two addresses carry."""

    id: str
    name: WorkspaceName
    kind: Literal["slack"]
    team_id: TeamId
    sealed: str = Field(description="the signing secret; only the installation's key opens it", repr=False)
    revision: int = Field(1, ge=1)
    created_at: AwareDatetime
    updated_at: AwareDatetime

    def changed(self, team_id: str, sealed: str, at: datetime) -> Self:
        """Return this workspace with another registration."""
        facts = {"team_id": team_id, "sealed": sealed, "revision": self.revision + 1, "updated_at": at}
        return self.model_copy(update=facts)


class KeptCode(Record):
    """A one-time code, as it is kept: nobody can read it back."""

    id: str
    digest: str
    principal: Principal
    expires_at: AwareDatetime


class Link(Record):
    """That a user of a workspace is a person of ours, with what they were allowed when they linked, until a moment."""

    id: str
    workspace_id: str
    chat_user: ChatUser
    subject: str
    principal: Principal
    linked_at: AwareDatetime
    expires_at: AwareDatetime

    def call(self, asked: Call) -> Call:
        """Return a request of the chat as this person's own."""
        return asked.model_copy(update={"actor": self.principal.actor})


class Said(Record):
    """One thing that a user said or pressed, and where."""

    team_id: TeamId
    chat_user: ChatUser
    channel: ChannelId
    response_url: ResponseUrl | None = None
    text: Annotated[str, StringConstraints(max_length=4000)]


class Question(Record):
    """That one version of a plan waits for an answer: whoever renders a reply puts two buttons below it."""

    plan_id: str
    digest: str

    @property
    def value(self) -> str:
        """What both buttons carry."""
        return f"{self.plan_id} {self.digest}"


class Reply(Record):
    """What one person is told: a headline, facts by their names, lines, and perhaps a question. All of it is text.

    None of it may become a link, a mention or a button where it is shown: some of it comes from outside.
    """

    title: str
    facts: Mapping[str, str] = Field(default_factory=dict)
    lines: tuple[str, ...] = ()
    question: Question | None = None
    code: str | None = Field(None, description="of what went wrong, if something did")


def workspace_actor(name: str) -> Actor:
    """Return who a request is from as long as no person is known behind it. It may do nothing."""
    return Actor(id=f"chat:{name}", kind="service")
