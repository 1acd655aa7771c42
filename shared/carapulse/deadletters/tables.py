"""The queue's table, as far as dead letters are concerned."""

from sqlalchemy import Column, DateTime, Integer, MetaData, Table, Text, Uuid
from sqlalchemy.dialects.postgresql import JSONB

metadata = MetaData()

messages = Table(
    "messages",
    metadata,
    Column("id", Text, primary_key=True),
    Column("tenant", Text, nullable=False),
    Column("queue", Text, nullable=False),
    Column("type", Text, nullable=False),
    Column("body", JSONB, nullable=False),
    Column("trace", Text, nullable=False),
    Column("available_at", DateTime(timezone=True), nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("receipt", Uuid),
    Column("last_error", Text),
    Column("dead_at", DateTime(timezone=True)),
    Column("created_at", DateTime(timezone=True), nullable=False),
)
