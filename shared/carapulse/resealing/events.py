"""What happens to what is kept sealed."""

from carapulse.kernel.event import Event


class SecretsResealed(Event):
    """Rows of one place were sealed anew by another key; what they hold stayed the same."""

    place: str
    rows: int
    key: str
