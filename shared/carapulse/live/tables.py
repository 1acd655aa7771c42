"""Tickets that were not used yet. What was issued and used is in the log."""

from sqlalchemy import Column, DateTime, MetaData, Table, Text
from sqlalchemy.dialects.postgresql import JSONB

metadata = MetaData()

live_tickets = Table(
    "live_tickets",
    metadata,
    Column("tenant", Text, primary_key=True),
    Column("digest", Text, primary_key=True),
    Column("id", Text, nullable=False),
    Column("principal", JSONB, nullable=False),
    Column("expires_at", DateTime(timezone=True), nullable=False),
)
