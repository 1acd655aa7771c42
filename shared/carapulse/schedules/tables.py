"""The tables of schedules and of what came of them."""

from sqlalchemy import Boolean, Column, DateTime, MetaData, Table, Text
from sqlalchemy.dialects.postgresql import JSONB

metadata = MetaData()

schedules = Table(
    "schedules",
    metadata,
    Column("tenant", Text, primary_key=True),
    Column("id", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("enabled", Boolean, nullable=False),
    Column("workflow", Text),
    Column("body", JSONB, nullable=False),
    Column("next_at", DateTime(timezone=True)),
    Column("authors", JSONB, nullable=False),
    Column("standing", JSONB, nullable=False),
)

schedule_runs = Table(
    "schedule_runs",
    metadata,
    Column("tenant", Text, primary_key=True),
    Column("schedule_id", Text, primary_key=True),
    Column("due_at", DateTime(timezone=True), primary_key=True),
    Column("at", DateTime(timezone=True), nullable=False),
    Column("status", Text, nullable=False),
    Column("intended_plan_id", Text, nullable=False),
    Column("reasons", JSONB, nullable=False),
)
