"""Work that notifications leave for later."""

from typing import ClassVar

from carapulse.kernel.message import Message


class TellChannels(Message):
    """The log has grown: look what the tenant's channels are to be told. A second one does no harm."""

    queue: ClassVar[str] = "notifications"


class Deliver(Message):
    """Send one message to its channel."""

    queue: ClassVar[str] = "notifications"
    delivery_id: str
