"""Channels and their messages kept in Postgres."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, RowMapping, delete, func, insert, or_, select, text, update

from carapulse.kernel.cursor import Page
from carapulse.notifications.model import Channel, ChannelDelivery, Secret
from carapulse.notifications.ports import DeliveryFilter, Following
from carapulse.notifications.tables import channel_deliveries, channel_secrets, channels
from carapulse.rows import read_row

_CHANNEL: Final = [channels.c[name] for name in Channel.model_fields]
_SECRET: Final = [channel_secrets.c[name] for name in Secret.model_fields]
_DELIVERY: Final = [channel_deliveries.c[name] for name in ChannelDelivery.model_fields]
_NEWEST: Final = text("SELECT coalesce(pg_sequence_last_value('events_position_seq'), 0)")
_ASK: Final = text(
    "UPDATE channels SET asked_at = clock_timestamp() WHERE tenant = :tenant AND retired_at IS NULL AND off_at IS NULL"
    " AND reached < (SELECT coalesce(pg_sequence_last_value('events_position_seq'), 0))"
    " AND (asked_at IS NULL OR asked_at < clock_timestamp() - interval '30 seconds')"
)
_FOLLOWING: Final = text(
    "SELECT id, reached FROM channels c WHERE tenant = :tenant AND retired_at IS NULL AND off_at IS NULL"
    " AND (paused_until IS NULL OR paused_until <= clock_timestamp()) AND :most > ("
    "SELECT count(*) FROM channel_deliveries d WHERE d.tenant = c.tenant AND d.channel_id = c.id"
    " AND d.status = 'waiting') ORDER BY id"
)
_ONE_BY_ONE: Final = text("SELECT pg_advisory_xact_lock(hashtextextended('notifications/' || :tenant, 0))")
# Two to a receiver, three of a tenant, and one to all those of a tenant that fail: so receivers that are slow keep few
# of those busy who send, however many there are, and leave somebody for other tenants.
_ENTER: Final = text(
    "WITH sending AS ("
    "SELECT d.channel_id, c.failures > 0 AS fails FROM channel_deliveries d"
    " JOIN channels c ON c.tenant = d.tenant AND c.id = d.channel_id"
    " WHERE d.tenant = :tenant AND d.status = 'waiting' AND d.sending_until > clock_timestamp())"
    " UPDATE channel_deliveries SET sending_until = clock_timestamp() + make_interval(secs => :seconds),"
    " status = 'waiting', done_at = NULL, attempts = attempts + 1"
    " WHERE tenant = :tenant AND id = :id AND (sending_until IS NULL OR sending_until <= clock_timestamp())"
    " AND (SELECT count(*) FROM sending WHERE channel_id = :channel) < 2 AND (SELECT count(*) FROM sending) < 3"
    " AND NOT ((SELECT c.failures > 0 FROM channels c WHERE c.tenant = :tenant AND c.id = :channel)"
    " AND (SELECT count(*) FROM sending WHERE fails) > 0)"
)
_FAILED: Final = text(
    "UPDATE channels SET failures = failures + 1, paused_until = clock_timestamp() + make_interval(secs =>"
    " greatest(CAST(:least_s AS double precision), least(60, 0.5 * 2 ^ least(failures, 10))))"
    " WHERE tenant = :tenant AND id = :id"
)


@dataclass(frozen=True, slots=True)
class PostgresChannels:
    """The channels of one tenant, within one transaction."""

    connection: Connection
    tenant: str

    def listed(self) -> Sequence[Channel]:
        """Return every channel, by name."""
        query = select(*_CHANNEL).where(*self._kept()).order_by(channels.c.name)
        return [_channel(row) for row in self.connection.execute(query).mappings()]

    def named(self, name: str) -> Channel | None:
        """Return the channel of that name and keep others from changing it until the transaction ends, or None."""
        return self._locked(channels.c.name == name)

    def lock(self, channel_id: str) -> Channel | None:
        """Return the channel of that id, locked; None if it was deleted."""
        return self._locked(channels.c.id == channel_id)

    def add(self, channel: Channel) -> None:
        """Keep a new channel, which is told of what happens from now on."""
        row = {**_row(channel), "reached": self._newest(), "failures": 0}
        self.connection.execute(insert(channels).values(tenant=self.tenant, **row))

    def replace(self, channel: Channel) -> None:
        """Keep the channel as it now is. What its former receiver asked for is no reason to wait."""
        fresh = {"failures": 0, "paused_until": None}
        self.connection.execute(self._change(channel.id).values(**_row(channel), **fresh))

    def switch_on(self, channel: Channel) -> None:
        """Keep a channel that was off and is told again of what happens from now on."""
        fresh = {"reached": self._newest(), "failures": 0, "paused_until": None, "asked_at": None}
        self.connection.execute(self._change(channel.id).values(**_row(channel), **fresh))

    def retire(self, channel: Channel, at: datetime) -> None:
        """Tell the channel nothing more, and forget its address and its secrets."""
        self.connection.execute(self._change(channel.id).values(retired_at=at, sealed=None))
        self.connection.execute(delete(channel_secrets).where(*self._of(channel.id)))

    def secrets(self, channel_id: str, at: datetime) -> Sequence[Secret]:
        """Return the secrets that hold at a moment, the newest first."""
        kept = channel_secrets.c
        holds = or_(kept.expires_at.is_(None), kept.expires_at > at)
        query = select(*_SECRET).where(*self._of(channel_id), holds).order_by(kept.id.desc())
        rows = self.connection.execute(query).mappings()
        return [read_row(Secret, dict(row), table="channel_secrets", row_id=row["id"]) for row in rows]

    def issue(self, secret: Secret) -> None:
        """Keep a new secret."""
        self.connection.execute(insert(channel_secrets).values(tenant=self.tenant, **dict(secret)))

    def expire(self, channel_id: str, at: datetime, until: datetime) -> None:
        """Let every secret of a channel hold until a moment at most; forget those that hold no more."""
        kept = channel_secrets.c
        self.connection.execute(delete(channel_secrets).where(*self._of(channel_id), kept.expires_at <= at))
        sooner = func.least(kept.expires_at, until)  # a null is the greatest
        self.connection.execute(update(channel_secrets).where(*self._of(channel_id)).values(expires_at=sooner))

    def ask(self) -> bool:
        """Note that somebody will look what channels are to be told; False if nobody need do so now."""
        return self.connection.execute(_ASK, {"tenant": self.tenant}).rowcount > 0

    def following(self, most_waiting: int) -> Sequence[Following]:
        """Return the channels that can be told more: on, not left alone, and with less than so much on its way."""
        rows = self.connection.execute(_FOLLOWING, {"tenant": self.tenant, "most": most_waiting})
        return [Following(id=row.id, reached=row.reached) for row in rows]

    def advance(self, channel_id: str, since: int, reached: int) -> Channel | None:
        """Note that a channel was told up to a place; None if somebody else told it meanwhile, or it is off."""
        is_there = (
            *self._kept(),
            channels.c.id == channel_id,
            channels.c.reached == since,
            channels.c.off_at.is_(None),
        )
        query = update(channels).where(*is_there).values(reached=reached, asked_at=None).returning(*_CHANNEL)
        row = self.connection.execute(query).mappings().one_or_none()
        return None if row is None else _channel(row)

    def is_left_alone(self, channel_id: str) -> bool:
        """Say whether the receiver failed lately."""
        query = select(channels.c.paused_until > func.clock_timestamp()).where(self._is(channel_id))
        return bool(self.connection.execute(query).scalar_one())

    def note_taken(self, channel_id: str) -> bool:
        """Note that the receiver takes messages; True if nothing is on its way, and there may be more to tell."""
        query = self._change(channel_id).values(failures=0, paused_until=None).returning(channels.c.reached)
        reached: int = self.connection.execute(query).scalar_one()
        waiting = select(func.count()).where(
            channel_deliveries.c.tenant == self.tenant,
            channel_deliveries.c.channel_id == channel_id,
            channel_deliveries.c.status == "waiting",
        )
        return reached < self._newest() and self.connection.execute(waiting).scalar_one() == 0

    def note_failure(self, channel_id: str, least_s: float) -> None:
        """Leave the receiver alone for a while: longer each time, and at least so many seconds."""
        self.connection.execute(_FAILED, {"tenant": self.tenant, "id": channel_id, "least_s": least_s})

    def _newest(self) -> int:
        newest: int = self.connection.execute(_NEWEST).scalar_one()
        return newest

    def _locked(self, condition: ColumnElement[bool]) -> Channel | None:
        query = select(*_CHANNEL).where(*self._kept(), condition).with_for_update()
        row = self.connection.execute(query).mappings().one_or_none()
        return None if row is None else _channel(row)

    def _change(self, channel_id: str) -> Any:  # noqa: ANN401 - an update
        return update(channels).where(self._is(channel_id))

    def _is(self, channel_id: str) -> ColumnElement[bool]:
        return (channels.c.tenant == self.tenant) & (channels.c.id == channel_id)

    def _kept(self) -> tuple[ColumnElement[bool], ...]:
        return (channels.c.tenant == self.tenant, channels.c.retired_at.is_(None))

    def _of(self, channel_id: str) -> tuple[ColumnElement[bool], ...]:
        return (channel_secrets.c.tenant == self.tenant, channel_secrets.c.channel_id == channel_id)


@dataclass(frozen=True, slots=True)
class PostgresChannelDeliveries:
    """The messages to channels of one tenant, within one transaction."""

    connection: Connection
    tenant: str

    def add(self, delivery: ChannelDelivery) -> None:
        """Keep a message."""
        self.connection.execute(insert(channel_deliveries).values(tenant=self.tenant, **dict(delivery)))

    def lock(self, delivery_id: str) -> ChannelDelivery | None:
        """Return a message, locked, or None."""
        query = select(*_DELIVERY).where(self._is(delivery_id)).with_for_update()
        row = self.connection.execute(query).mappings().one_or_none()
        return None if row is None else _delivery(row)

    def enter(self, delivery: ChannelDelivery, seconds: float) -> bool:
        """Begin to send, for so long at most; False while this, or enough to the receiver or of the tenant, is sent."""
        self.connection.execute(_ONE_BY_ONE, {"tenant": self.tenant})
        given = {"tenant": self.tenant, "id": delivery.id, "channel": delivery.channel_id, "seconds": seconds}
        return self.connection.execute(_ENTER, given).rowcount == 1

    def end(self, delivery: ChannelDelivery) -> None:
        """Keep what became of a message, or of one attempt; nobody sends it now."""
        told = {"status", "http_status", "last_error", "done_at"}
        query = update(channel_deliveries).where(self._is(delivery.id))
        self.connection.execute(query.values(sending_until=None, **delivery.model_dump(include=told)))

    def page(self, channel_id: str, wanted: DeliveryFilter) -> Page[ChannelDelivery]:
        """Return the messages of a channel, the newest first."""
        kept = channel_deliveries.c
        query = select(*_DELIVERY).where(kept.tenant == self.tenant, kept.channel_id == channel_id)
        if wanted.status is not None:
            query = query.where(kept.status == wanted.status)
        if wanted.cursor is not None:
            query = query.where(kept.id < wanted.cursor)
        rows = self.connection.execute(query.order_by(kept.id.desc()).limit(wanted.limit + 1)).mappings()
        return wanted.cut([_delivery(row) for row in rows], lambda last: last.id)

    def _is(self, delivery_id: str) -> ColumnElement[bool]:
        return (channel_deliveries.c.tenant == self.tenant) & (channel_deliveries.c.id == delivery_id)


def _channel(row: RowMapping) -> Channel:
    return read_row(Channel, dict(row), table="channels", row_id=row["id"])


def _delivery(row: RowMapping) -> ChannelDelivery:
    return read_row(ChannelDelivery, dict(row), table="channel_deliveries", row_id=row["id"])


def _row(channel: Channel) -> dict[str, Any]:
    return {**dict(channel), "rules": channel.rules.model_dump(mode="json")}
