"""What is shown of workspaces, codes and links. No view holds a secret, but the one answer that gives a code."""

from collections.abc import Mapping
from typing import Literal, Self

from pydantic import AwareDatetime, Field

from carapulse.chatops.model import Link, Workspace
from carapulse.kernel.call import Scope
from carapulse.kernel.record import Record

_CHATOPS = "/v1/chatops/slack"


class WorkspaceView(Record):
    """A workspace as an administrator sees it, with the two addresses that have to be entered at Slack."""

    id: str
    name: str
    kind: Literal["slack"]
    team_id: str
    commands_path: str
    interactions_path: str
    revision: int = Field(description="grows with every change of the team or the secret")
    created_at: AwareDatetime
    updated_at: AwareDatetime

    @classmethod
    def of(cls, workspace: Workspace) -> Self:
        """Return a workspace without its secret."""
        facts = {name: value for name, value in dict(workspace).items() if name in cls.model_fields}
        where = f"{_CHATOPS}/{workspace.id}"
        return cls(**facts, commands_path=f"{where}/commands", interactions_path=f"{where}/interactions")


class Registered(Record):
    """A workspace, and whether it is new."""

    workspace: WorkspaceView
    created: bool = Field(exclude=True)


class Code(Record):
    """What a person types in the chat, once, to be known there."""

    code: str
    command: str = Field(description="what to type there")
    expires_at: AwareDatetime
    link_hours: int = Field(description="for how many hours the link will hold")


class LinkView(Record):
    """A link as its person, or an administrator, sees it."""

    id: str
    workspace_id: str
    chat_user: str
    subject: str
    roles: tuple[str, ...]
    scope: Scope
    linked_at: AwareDatetime
    expires_at: AwareDatetime

    @classmethod
    def of(cls, link: Link) -> Self:
        """Return what is shown of a link."""
        facts: Mapping[str, object] = {name: value for name, value in dict(link).items() if name in cls.model_fields}
        actor = link.principal.actor
        return cls.model_validate({**facts, "roles": tuple(sorted(actor.roles)), "scope": actor.scope})
