"""Replies that a chat is told later, so that whoever pressed a button gets an answer within Slack's three seconds."""

from typing import ClassVar

from pydantic import AwareDatetime

from carapulse.chatops.model import Reply
from carapulse.kernel.message import Message


class TellChat(Message):
    """Tell one person in a chat what came of what they did. The address is sealed: who has it can write there."""

    queue: ClassVar[str] = "approvals"
    workspace_id: str
    sealed_address: str
    until: AwareDatetime
    reply: Reply
