"""Messages that ChatOps reacts to."""

from carapulse.chatops.errors import ReplyRefused
from carapulse.chatops.messages import TellChat
from carapulse.chatops.replying import ReplyPorts, address_purpose
from carapulse.kernel.call import Call
from carapulse.messaging import Consumers

consumers = Consumers()


@consumers.on(TellChat)
def tell(message: TellChat, call: Call, ports: ReplyPorts) -> None:
    """Tell a person what came of what they did. A repetition tells it again, and changes nothing."""
    if ports.clock.now() >= message.until:
        raise ReplyRefused("the chat takes no reply to this any more")
    address = ports.sealer.open(message.sealed_address, address_purpose(message.workspace_id, call.tenant))
    ports.chat_replies.send(address, message.reply, ports.settings.chat_reply_addresses)
