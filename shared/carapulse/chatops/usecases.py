"""What administrators ask of workspaces, and people of their links. One function is one thing that can be asked for."""

from carapulse.chatops.errors import LinkNotFound, WorkspaceNotFound
from carapulse.chatops.events import (
    ChatUnlinked,
    ChatWorkspaceChanged,
    ChatWorkspaceRegistered,
    ChatWorkspaceRetired,
)
from carapulse.chatops.model import Link, RegisterWorkspace, Workspace
from carapulse.chatops.ports import ChatPorts, ChatWork
from carapulse.chatops.views import LinkView, Registered, WorkspaceView
from carapulse.identity.permissions import Permission, refusals
from carapulse.kernel.call import Call
from carapulse.kernel.cursor import Page
from carapulse.kernel.ids import new_id
from carapulse.kernel.precondition import WHICHEVER, Match

_NO_LINK = "no such link"


def register_workspace(
    name: str, command: RegisterWorkspace, call: Call, ports: ChatPorts, seen: Match = WHICHEVER
) -> Registered:
    """Register a workspace, or change it; the same again changes nothing.

    With the team or the secret all links go: users of another team are others, and whoever chose the secret can make
    requests of every user.
    """
    secret = command.signing_secret.get_secret_value()
    with ports.begin(call) as work:
        known = work.chat_workspaces.named(name)
        seen.check(None if known is None else WorkspaceView.of(known))
        if known is None:
            added = _add(name, command, call, ports, work)
            return Registered(workspace=WorkspaceView.of(added), created=True)
        if known.team_id == command.team_id and secret_of(known, call.tenant, ports) == secret:
            return Registered(workspace=WorkspaceView.of(known), created=False)
        changed = known.changed(command.team_id, ports.sealer.seal(secret, purpose_of(known.id, call.tenant)), call.at)
        work.chat_workspaces.replace(changed)
        work.record(known.id, _changed(changed, work.chat_links.remove_all(known.id)))
    return Registered(workspace=WorkspaceView.of(changed), created=False)


def list_workspaces(call: Call, ports: ChatPorts) -> Page[WorkspaceView]:
    """Return every workspace, by name."""
    with ports.begin(call) as work:
        return Page(data=tuple(WorkspaceView.of(each) for each in work.chat_workspaces.listed()))


def get_workspace(name: str, call: Call, ports: ChatPorts) -> WorkspaceView:
    """Return one workspace."""
    with ports.begin(call) as work:
        return WorkspaceView.of(_known(name, work))


def retire_workspace(name: str, call: Call, ports: ChatPorts, seen: Match = WHICHEVER) -> None:
    """Let nobody ask from a workspace any more. What was asked from it stays in the log."""
    with ports.begin(call) as work:
        workspace = _known(name, work)
        seen.check(WorkspaceView.of(workspace))
        dropped = work.chat_links.remove_all(workspace.id)
        work.chat_workspaces.remove(workspace.id)
        gone = ChatWorkspaceRetired(workspace_id=workspace.id, name=workspace.name, links_dropped=dropped)
        work.record(workspace.id, gone)


def list_links(call: Call, ports: ChatPorts) -> Page[LinkView]:
    """Return the caller's links that hold, and everybody's to those who may see them; the newest first."""
    whose = None if _may(call, "chat-link:read-others") else call.actor.id
    with ports.begin(call) as work:
        return Page(data=tuple(LinkView.of(each) for each in work.chat_links.listed(call.at, whose)))


def get_link(link_id: str, call: Call, ports: ChatPorts) -> LinkView:
    """Return a link that holds, of the caller's own, or anybody's where they may; else it is as if there were none."""
    with ports.begin(call) as work:
        link = _link(link_id, "chat-link:read-others", call, work)
    if link.expires_at <= call.at:
        raise LinkNotFound(_NO_LINK, link_id=link_id)
    return LinkView.of(link)


def delete_link(link_id: str, call: Call, ports: ChatPorts, seen: Match = WHICHEVER) -> None:
    """End a link of the caller's own, or anybody's where they may; else it is as if there were none."""
    with ports.begin(call) as work:
        link = _link(link_id, "chat-link:delete-others", call, work)
        seen.check(LinkView.of(link))
        end_link(link, call, work)


def end_link(link: Link, call: Call, work: ChatWork) -> None:
    """Forget a link, and say by whom that was wanted."""
    work.chat_links.remove(link.id)
    ended = ChatUnlinked(
        link_id=link.id,
        workspace_id=link.workspace_id,
        chat_user=link.chat_user,
        subject=link.subject,
        by=call.actor.id,
    )
    work.record(link.workspace_id, ended)


def purpose_of(workspace_id: str, tenant: str) -> str:
    """Return what a signing secret is sealed for, so that it opens in its own row alone."""
    return f"chat {tenant}/{workspace_id}"


def secret_of(workspace: Workspace, tenant: str, ports: ChatPorts) -> str:
    """Return the signing secret of a workspace in clear."""
    return ports.sealer.open(workspace.sealed, purpose_of(workspace.id, tenant))


def _may(call: Call, permission: Permission) -> bool:
    return next(refusals(call.actor, permission), None) is None


def _known(name: str, work: ChatWork) -> Workspace:
    workspace = work.chat_workspaces.named(name)
    if workspace is None:
        raise WorkspaceNotFound("no such workspace", name=name)
    return workspace


def _link(link_id: str, others: Permission, call: Call, work: ChatWork) -> Link:
    link = work.chat_links.get(link_id)
    if link is None or (link.subject != call.actor.id and not _may(call, others)):
        raise LinkNotFound(_NO_LINK, link_id=link_id)
    return link


def _add(name: str, command: RegisterWorkspace, call: Call, ports: ChatPorts, work: ChatWork) -> Workspace:
    workspace_id = new_id("chat")
    workspace = Workspace(
        id=workspace_id,
        name=name,
        kind=command.kind,
        team_id=command.team_id,
        sealed=ports.sealer.seal(command.signing_secret.get_secret_value(), purpose_of(workspace_id, call.tenant)),
        created_at=call.at,
        updated_at=call.at,
    )
    work.chat_workspaces.add(workspace)
    registered = ChatWorkspaceRegistered(
        workspace_id=workspace.id, name=name, kind=workspace.kind, team_id=workspace.team_id
    )
    work.record(workspace.id, registered)
    return workspace


def _changed(workspace: Workspace, dropped: int) -> ChatWorkspaceChanged:
    return ChatWorkspaceChanged(
        workspace_id=workspace.id,
        name=workspace.name,
        team_id=workspace.team_id,
        revision=workspace.revision,
        links_dropped=dropped,
    )
