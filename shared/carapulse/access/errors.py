"""What can go wrong when somebody asks what they may do."""

from carapulse.kernel.errors import Invalid


class UnknownAction(Invalid):
    """There is no such permission and no such action."""

    code = "unknown-permission"
