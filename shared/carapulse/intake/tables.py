"""The intake's tables."""

from sqlalchemy import BigInteger, Boolean, Column, DateTime, Identity, Integer, MetaData, Table, Text
from sqlalchemy.dialects.postgresql import JSONB

metadata = MetaData()

sources = Table(
    "sources",
    metadata,
    Column("tenant", Text, primary_key=True),
    Column("id", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("registration", JSONB, nullable=False),
    Column("revision", Integer, nullable=False),
    Column("created_at", DateTime(timezone=True), nullable=False),
    Column("updated_at", DateTime(timezone=True), nullable=False),
    Column("retired_at", DateTime(timezone=True)),
    Column("authors", JSONB, nullable=False),
)

source_credentials = Table(
    "source_credentials",
    metadata,
    Column("tenant", Text, primary_key=True),
    Column("id", Text, primary_key=True),
    Column("source_id", Text, nullable=False),
    Column("sealed", Text),
    Column("token_digest", Text),
    Column("created_at", DateTime(timezone=True), nullable=False),
    Column("expires_at", DateTime(timezone=True)),
)

webhook_deliveries = Table(
    "webhook_deliveries",
    metadata,
    Column("number", BigInteger, Identity(always=True), nullable=False),
    Column("tenant", Text, primary_key=True),
    Column("id", Text, primary_key=True),
    Column("source_id", Text, nullable=False),
    Column("webhook_id", Text, nullable=False),
    Column("trusted", Boolean, nullable=False),
    Column("body_digest", Text, nullable=False),
    Column("payload", JSONB, nullable=False),
    Column("received_at", DateTime(timezone=True), nullable=False),
    Column("sorted_at", DateTime(timezone=True)),
)

alerts = Table(
    "alerts",
    metadata,
    Column("tenant", Text, primary_key=True),
    Column("id", Text, primary_key=True),
    Column("source_id", Text, nullable=False),
    Column("source", Text, nullable=False),
    Column("key", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("service", Text),
    Column("plan_id", Text),
    Column("closed_at", DateTime(timezone=True)),
    Column("body", JSONB, nullable=False),
)
