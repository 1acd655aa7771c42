"""What was let go."""

from carapulse.kernel.record import Record


class Dropped(Record):
    """One partition that was dropped, and the blobs that nothing names any more."""

    partition: str
    blobs: tuple[str, ...] = ()
