"""What the intake needs from the world, in the words of the intake."""

from collections.abc import Sequence
from typing import Protocol

from pydantic import AwareDatetime, JsonValue

from carapulse.intake.alerts import Alert, AlertStatus
from carapulse.intake.model import Credential, Source
from carapulse.kernel.call import Call
from carapulse.kernel.clock import Clock
from carapulse.kernel.cursor import Page, Wanted
from carapulse.kernel.record import Record
from carapulse.kernel.sealing import Sealer
from carapulse.kernel.work import Work


class Sender(Record):
    """Whose message it would be, if its proof holds."""

    tenant: str
    name: str


class SourceDirectory(Protocol):
    """Knows which tenant a source's id belongs to: the one question that is asked before the tenant is known."""

    def find(self, source_id: str) -> Sender | None:
        """Return the owner of a source that may report, or None."""
        ...


class Delivery(Record):
    """One verified message, kept as it came."""

    id: str
    source_id: str
    webhook_id: str
    trusted: bool
    body_digest: str
    payload: dict[str, JsonValue]
    received_at: AwareDatetime


class AlertFilter(Wanted):
    """Which alerts are wanted, and which page of them."""

    status: AlertStatus | None = None
    source: str | None = None
    service: str | None = None


class Sources(Protocol):
    """Where sources and their proofs are kept."""

    def listed(self) -> Sequence[Source]:
        """Return every source that may report, by name."""
        ...

    def named(self, name: str) -> Source | None:
        """Return the source of that name and keep others from changing it until the transaction ends, or None."""
        ...

    def get(self, source_id: str) -> Source:
        """Return the source of that id, also one that may report no more."""
        ...

    def line_up(self, source_id: str) -> Source:
        """Return the source and let nobody else sort its deliveries until the transaction ends."""
        ...

    def add(self, source: Source) -> None:
        """Keep a new source."""
        ...

    def replace(self, source: Source) -> None:
        """Keep the source as it now is."""
        ...

    def retire(self, source: Source, at: AwareDatetime) -> None:
        """Let the source report no more, and forget its proofs."""
        ...

    def credentials(self, source_id: str, at: AwareDatetime) -> Sequence[Credential]:
        """Return the proofs that hold at a moment, the newest first."""
        ...

    def issue(self, credential: Credential) -> None:
        """Keep a new proof."""
        ...

    def expire(self, source_id: str, at: AwareDatetime, until: AwareDatetime) -> None:
        """Let every proof of a source hold until a moment at most; forget those that hold no more."""
        ...


class Deliveries(Protocol):
    """Where messages are kept as they came."""

    def add(self, delivery: Delivery) -> bool:
        """Keep a message; False if this source's message of that webhook-id was kept before."""
        ...

    def get(self, delivery_id: str) -> Delivery:
        """Return a message."""
        ...

    def unsorted(self, source_id: str) -> Sequence[Delivery]:
        """Return what nobody looked into yet, in the order of arrival."""
        ...

    def mark_sorted(self, delivery_id: str, at: AwareDatetime) -> None:
        """Say that a message was looked into."""
        ...


class Alerts(Protocol):
    """Where alerts are kept."""

    def get(self, alert_id: str) -> Alert:
        """Return the alert, or raise AlertNotFound."""
        ...

    def lock(self, alert_id: str) -> Alert:
        """Return the alert and keep everybody else from changing it until the transaction ends."""
        ...

    def open_of(self, source_id: str, key: str) -> Alert | None:
        """Return the alert of that key that is not over, locked, or None."""
        ...

    def add(self, alert: Alert) -> None:
        """Keep a new alert."""
        ...

    def replace(self, alert: Alert) -> None:
        """Keep the alert as it now is."""
        ...

    def page(self, wanted: AlertFilter) -> Page[Alert]:
        """Return alerts, the newest first."""
        ...


class IntakeWork(Work, Protocol):
    """A unit of work that can reach sources, deliveries and alerts."""

    @property
    def sources(self) -> Sources:
        """The sources within this unit."""
        ...

    @property
    def deliveries(self) -> Deliveries:
        """The deliveries within this unit."""
        ...

    @property
    def alerts(self) -> Alerts:
        """The alerts within this unit."""
        ...


class IntakePorts(Protocol):
    """Everything the intake asks of the application; what planning asks beside it is in planning.py."""

    @property
    def clock(self) -> Clock:
        """What tells the time."""
        ...

    @property
    def source_directory(self) -> SourceDirectory:
        """Who knows whose a source is."""
        ...

    @property
    def sealer(self) -> Sealer:
        """Who keeps secrets unreadable."""
        ...

    def begin(self, call: Call) -> IntakeWork:
        """Open a unit of work for the caller's tenant."""
        ...
