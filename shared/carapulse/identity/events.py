"""What happens at the door. Each is a fact in the tenant's stream of refusals of that day."""

from carapulse.kernel.event import Event


class AccessRefused(Event):
    """Somebody who proved who they are was not let do something. Like ones within a minute are one event.

    `route` is null for what was refused before it was known which route is meant. `left_out` counts like refusals
    since the last such event that were not written.
    """

    reason: str
    permission: str | None
    method: str
    route: str | None
    kind: str
    left_out: int
