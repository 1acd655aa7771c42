"""Event: a fact about something that has happened. Past tense, immutable."""

from carapulse.kernel.record import Record


class Event(Record):
    """Base of every fact. The class name is the public event type; its fields are the body, JSON only."""

    @property
    def type(self) -> str:
        """The public name of this kind of event."""
        return type(self).__name__
