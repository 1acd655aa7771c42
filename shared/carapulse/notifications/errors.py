"""What can go wrong with channels, and on the way to those who are told."""

from carapulse.kernel.errors import Conflict, Invalid, NotFound, Unavailable


class ChannelNotFound(NotFound):
    """No channel of that name for this tenant."""

    code = "channel-not-found"


class ChannelInvalid(Invalid):
    """A channel can't be as the request says; each fault says where."""

    code = "channel-invalid"


class ChannelUnsigned(Conflict):
    """The messages of this kind of channel are not signed, so there is no secret to change."""

    code = "channel-unsigned"


class ChannelOff(Conflict):
    """The channel was switched off; put it again to switch it on."""

    code = "channel-off"


class TooManyChannels(Conflict):
    """The tenant has as many channels as it may have."""

    code = "too-many-channels"


class TooManySecrets(Conflict):
    """Messages of the channel bear as many signatures as they may; end the older secrets with `older_for_s` 0."""

    code = "too-many-channel-secrets"


class DeliveryGone(Invalid):
    """What was to be delivered is not kept any more."""

    code = "delivery-gone"


class ChannelBusy(Unavailable):
    """Enough is on its way to the receiver, or for the tenant, already; this one comes after it."""

    code = "channel-busy"


class ChannelPaused(Unavailable):
    """The receiver did not answer lately; it is left alone for a moment."""

    code = "channel-paused"


class ReceiverUnavailable(Unavailable):
    """The receiver did not take the message, and may take it later."""

    code = "receiver-unavailable"


class ReceiverRefused(Invalid):
    """The receiver does not take this message, and would not take it later."""

    code = "receiver-refused"


class ReceiverForbidden(Invalid):
    """The address leads to where nobody may be told anything."""

    code = "receiver-forbidden"


class ReceiverGone(Invalid):
    """The receiver says that it is gone for ever."""

    code = "receiver-gone"
