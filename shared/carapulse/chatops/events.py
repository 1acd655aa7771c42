"""What happens in a chat. Each is a fact in the stream of its workspace; none holds a secret, a code or a text."""

from carapulse.kernel.event import Event


class ChatWorkspaceRegistered(Event):
    """People may ask from a workspace from now on, once they are linked."""

    workspace_id: str
    name: str
    kind: str
    team_id: str


class ChatWorkspaceChanged(Event):
    """A workspace proves itself with another secret, or is another team. Its links are gone."""

    workspace_id: str
    name: str
    team_id: str
    revision: int
    links_dropped: int


class ChatWorkspaceRetired(Event):
    """Nobody may ask from a workspace any more; its secret and its links are gone."""

    workspace_id: str
    name: str
    links_dropped: int


class ChatCodeIssued(Event):
    """A person was given a code to link a user of a chat with, once."""

    code_id: str
    expires_at: str


class ChatLinked(Event):
    """A user of a chat is this person until a moment. `replaces` is the link that the same user had before."""

    link_id: str
    workspace_id: str
    chat_user: str
    subject: str
    roles: tuple[str, ...]
    code_id: str
    replaces: str | None
    expires_at: str


class ChatUnlinked(Event):
    """A user of a chat is nobody of ours any more. `by` is who ended that."""

    link_id: str
    workspace_id: str
    chat_user: str
    subject: str
    by: str


class ChatCommandGiven(Event):
    """A person asked from a chat for something that may change something; what came of it has the same trace."""

    workspace_id: str
    channel: str
    chat_user: str
    link_id: str
    command: str
    about: str


class ChatCommandRefused(Event):
    """What a user of a chat asked for was not done. Who nobody knows is the workspace's own actor."""

    workspace_id: str
    channel: str
    chat_user: str
    link_id: str | None
    command: str
    code: str
