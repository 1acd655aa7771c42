"""The collectors' table."""

from sqlalchemy import Boolean, Column, DateTime, MetaData, Table, Text
from sqlalchemy.dialects.postgresql import JSONB

metadata = MetaData()

collectors = Table(
    "collectors",
    metadata,
    Column("tenant", Text, primary_key=True),
    Column("name", Text, primary_key=True),
    Column("system", Text, nullable=False),
    Column("enabled", Boolean, nullable=False),
    Column("next_at", DateTime(timezone=True)),
    Column("body", JSONB, nullable=False),
    Column("progress", JSONB, nullable=False),
)
