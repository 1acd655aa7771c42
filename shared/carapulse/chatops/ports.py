"""What ChatOps needs from the world, in its own words."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from carapulse.approvals.ports import ApprovalPorts, ApprovalWork
from carapulse.chatops.model import KeptCode, Link, Workspace
from carapulse.chatops.replying import ChatReplies, ReplySettings
from carapulse.executions.ports import ExecutionPorts, ExecutionSettings
from carapulse.kernel.call import Call
from carapulse.kernel.record import Record
from carapulse.kernel.sealing import Sealer
from carapulse.plans.ports import PlanPorts, PlanSettings, PlanWork
from carapulse.tools.catalogue import Catalogue


class Owner(Record):
    """Whose workspace it would be, if the proof holds."""

    tenant: str
    name: str


class WorkspaceDirectory(Protocol):
    """Knows which tenant a workspace's id belongs to: the one question that is asked before the tenant is known."""

    def find(self, workspace_id: str) -> Owner | None:
        """Return the owner of a workspace, or None."""
        ...


class Workspaces(Protocol):
    """Where workspaces are kept."""

    def listed(self) -> Sequence[Workspace]:
        """Return every workspace, by name."""
        ...

    def named(self, name: str) -> Workspace | None:
        """Return the workspace of that name and keep others from changing it until the transaction ends, or None."""
        ...

    def find(self, workspace_id: str) -> Workspace | None:
        """Return the workspace of that id, or None."""
        ...

    def add(self, workspace: Workspace) -> None:
        """Keep a new workspace."""
        ...

    def replace(self, workspace: Workspace) -> None:
        """Keep the workspace as it now is."""
        ...

    def remove(self, workspace_id: str) -> None:
        """Forget a workspace with its secret."""
        ...

    def take(self, workspace_id: str, digest: str, until: datetime) -> bool:
        """Remember a signature for as long as it could be shown again; False if it was shown before."""
        ...


class Links(Protocol):
    """Where codes and links are kept."""

    def add_code(self, code: KeptCode) -> None:
        """Keep a new code; the person's former ones are void."""
        ...

    def code(self, digest: str, at: datetime) -> KeptCode | None:
        """Return a code that is good at a moment, or None."""
        ...

    def take_code(self, digest: str, at: datetime) -> bool:
        """Remove a code that is good at a moment; False if there is none, or somebody else took it."""
        ...

    def of_user(self, workspace_id: str, chat_user: str) -> Link | None:
        """Return the link of a user of a workspace, also one that is over, locked until the transaction ends."""
        ...

    def get(self, link_id: str) -> Link | None:
        """Return the link of that id, or None."""
        ...

    def listed(self, at: datetime, subject: str | None) -> Sequence[Link]:
        """Return the links that hold at a moment, the newest first: one person's, or everybody's."""
        ...

    def add(self, link: Link) -> None:
        """Keep a new link; the user must have none."""
        ...

    def remove(self, link_id: str) -> None:
        """Forget a link."""
        ...

    def remove_all(self, workspace_id: str) -> int:
        """Forget all links of a workspace, and return how many there were."""
        ...


class LinkWork(Protocol):
    """The part of a unit of work that reaches workspaces and links."""

    @property
    def chat_workspaces(self) -> Workspaces:
        """The workspaces within this unit."""
        ...

    @property
    def chat_links(self) -> Links:
        """The codes and links within this unit."""
        ...


class ChatWork(LinkWork, ApprovalWork, PlanWork, Protocol):
    """A unit of work that can reach workspaces, links, plans and approvals."""


class ChatSettings(PlanSettings, ExecutionSettings, ReplySettings, Protocol):
    """What an installation chose."""

    @property
    def chat_link_hours(self) -> int:
        """For how long a link holds: hours."""
        ...


class ChatPorts(ApprovalPorts, PlanPorts, ExecutionPorts, Protocol):
    """Everything that ChatOps asks of the application: what it needs itself, and what the use cases need."""

    @property
    def settings(self) -> ChatSettings:
        """What the installation chose."""
        ...

    @property
    def catalogue(self) -> Catalogue:
        """Every action there is."""
        ...

    @property
    def sealer(self) -> Sealer:
        """Who keeps secrets unreadable."""
        ...

    @property
    def workspace_directory(self) -> WorkspaceDirectory:
        """Who knows whose a workspace is."""
        ...

    @property
    def chat_replies(self) -> ChatReplies:
        """Who speaks the chat's language."""
        ...

    def begin(self, call: Call) -> ChatWork:
        """Open a unit of work for the caller's tenant."""
        ...
