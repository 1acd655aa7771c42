"""Messages that notifications react to."""

from carapulse.messaging import Consumers
from carapulse.notifications.announcing import tell_channels
from carapulse.notifications.messages import Deliver, TellChannels
from carapulse.notifications.sending import deliver, give_up_delivery

consumers = Consumers()
consumers.on(TellChannels)(tell_channels)
consumers.on(Deliver)(deliver)
consumers.on_giving_up(Deliver)(give_up_delivery)
