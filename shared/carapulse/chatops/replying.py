"""Telling a chat later: the address that it gave, sealed until it is written to."""

from typing import Any, Protocol

from carapulse.chatops.model import Reply
from carapulse.kernel.clock import Clock
from carapulse.kernel.sealing import Sealer


class ChatReplies(Protocol):
    """Shows replies, and sends them."""

    def shown(self, reply: Reply) -> dict[str, Any]:
        """Return a reply as the chat's own JSON, to be seen by one person alone."""
        ...

    def send(self, address: str, reply: Reply, may_reach: frozenset[str]) -> None:
        """Send a reply to an address that the chat gave; raises ReplyRefused, or ReplyUndelivered."""
        ...


class ReplySettings(Protocol):
    """What an installation chose."""

    @property
    def chat_reply_addresses(self) -> frozenset[str]:
        """The `host:port` that replies may be sent to."""
        ...


class ReplyPorts(Protocol):
    """What telling a chat asks of the application: much less than answering it does."""

    @property
    def clock(self) -> Clock:
        """What tells the time."""
        ...

    @property
    def settings(self) -> ReplySettings:
        """What the installation chose."""
        ...

    @property
    def sealer(self) -> Sealer:
        """Who keeps addresses unreadable."""
        ...

    @property
    def chat_replies(self) -> ChatReplies:
        """Who speaks the chat's language."""
        ...


def address_purpose(workspace_id: str, tenant: str) -> str:
    """Return what the address of a reply is sealed for."""
    return f"chat reply {tenant}/{workspace_id}"
