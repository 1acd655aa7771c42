"""The tables of freezes and windows."""

from sqlalchemy import Column, DateTime, MetaData, Table, Text
from sqlalchemy.dialects.postgresql import JSONB

metadata = MetaData()

freezes = Table(
    "freezes",
    metadata,
    Column("tenant", Text, primary_key=True),
    Column("id", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("starts_at", DateTime(timezone=True), nullable=False),
    Column("until", DateTime(timezone=True)),
    Column("lifted_at", DateTime(timezone=True)),
    Column("body", JSONB, nullable=False),
)

maintenance_windows = Table(
    "maintenance_windows",
    metadata,
    Column("tenant", Text, primary_key=True),
    Column("id", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("lifted_at", DateTime(timezone=True)),
    Column("body", JSONB, nullable=False),
)
