"""Channels, the secrets that sign, and what was sent."""

from sqlalchemy import BigInteger, Column, DateTime, Integer, MetaData, Table, Text
from sqlalchemy.dialects.postgresql import JSONB

metadata = MetaData()

channels = Table(
    "channels",
    metadata,
    Column("tenant", Text, primary_key=True),
    Column("id", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("address", Text, nullable=False),
    Column("sealed", Text),
    Column("rules", JSONB, nullable=False),
    Column("revision", Integer, nullable=False),
    Column("put_by", Text, nullable=False),
    Column("created_at", DateTime(timezone=True), nullable=False),
    Column("updated_at", DateTime(timezone=True), nullable=False),
    Column("off_at", DateTime(timezone=True)),
    Column("off_why", Text),
    Column("retired_at", DateTime(timezone=True)),
    Column("reached", BigInteger, nullable=False),
    Column("asked_at", DateTime(timezone=True)),
    Column("failures", Integer, nullable=False),
    Column("paused_until", DateTime(timezone=True)),
)

channel_secrets = Table(
    "channel_secrets",
    metadata,
    Column("tenant", Text, primary_key=True),
    Column("id", Text, primary_key=True),
    Column("channel_id", Text, nullable=False),
    Column("sealed", Text, nullable=False),
    Column("created_at", DateTime(timezone=True), nullable=False),
    Column("expires_at", DateTime(timezone=True)),
)

channel_deliveries = Table(
    "channel_deliveries",
    metadata,
    Column("tenant", Text, primary_key=True),
    Column("id", Text, primary_key=True),
    Column("channel_id", Text, nullable=False),
    Column("position", BigInteger),
    Column("event", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("body", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("http_status", Integer),
    Column("last_error", Text),
    Column("created_at", DateTime(timezone=True), nullable=False),
    Column("done_at", DateTime(timezone=True)),
    Column("sending_until", DateTime(timezone=True)),
)
