"""What retention asks of the application."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Literal, Protocol

from carapulse.audit.ports import AuditPorts, AuditWork
from carapulse.kernel.blobs import Blobs
from carapulse.kernel.call import Call
from carapulse.retention.model import Dropped

Steps = Literal["step_lines", "step_outputs"]


class Room(Protocol):
    """The partitions of the database, in one transaction. They are everybody's."""

    def make_partitions(self) -> Sequence[str]:
        """Make what will be needed soon, and return the tables with rows that no partition was made for in time."""
        ...

    def drop_old_steps(self, table: Steps, before: datetime) -> Sequence[Dropped]:
        """Drop the partitions of which every execution was over before a moment."""
        ...

    def drop_dead_letters(self, before: datetime) -> int:
        """Delete messages that were given up before a moment, some thousands at most, and return how many."""
        ...

    def drop_channel_deliveries(self, before: datetime) -> int:
        """Delete messages to channels that were done with before a moment, some thousands at most."""
        ...

    def drop_idle_rates(self) -> int:
        """Delete counts of those who have not asked for minutes, some thousands at most, and return how many."""
        ...

    def drop_old_chat(self) -> int:
        """Delete links, codes and signatures of chats that are over, some thousands at most, and return how many."""
        ...

    def drop_idempotency_keys(self, kept: timedelta) -> int:
        """Delete keys that were given to a request so long ago, some thousands at most, and return how many."""
        ...


class RetentionWork(AuditWork, Protocol):
    """A unit of work that can reach the partitions."""

    @property
    def room(self) -> Room:
        """The partitions within this unit."""
        ...


class Kept(Protocol):
    """How long the installation keeps what; None keeps it for ever."""

    @property
    def lines_retention_days(self) -> int | None:
        """For lines that tools wrote: days."""
        ...

    @property
    def outputs_retention_days(self) -> int | None:
        """For what steps gave: days."""
        ...

    @property
    def events_retention_days(self) -> int | None:
        """For events in the log; older ones are archived: days."""
        ...

    @property
    def dead_letters_retention_days(self) -> int | None:
        """For messages that were given up: days."""
        ...

    @property
    def deliveries_retention_days(self) -> int:
        """For messages to channels that were delivered or given up: days."""
        ...

    @property
    def idempotency_hours(self) -> int:
        """For the answers to requests with a key, and that the key was used: hours, at least a day."""
        ...


class RetentionPorts(AuditPorts, Protocol):
    """Everything that retention asks of the application."""

    @property
    def settings(self) -> Kept:
        """What the installation chose."""
        ...

    @property
    def blobs(self) -> Blobs:
        """Where the outputs of steps are kept that are too large for a row."""
        ...

    def begin(self, call: Call) -> RetentionWork:
        """Open a unit of work."""
        ...
