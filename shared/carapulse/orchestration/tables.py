"""Which machines carry a plan, and where they stand still."""

from sqlalchemy import Boolean, Column, DateTime, Integer, MetaData, Table, Text
from sqlalchemy.dialects.postgresql import JSONB

metadata = MetaData()

machines = Table(
    "machines",
    metadata,
    Column("tenant", Text, primary_key=True),
    Column("plan_id", Text, primary_key=True),
    Column("generation", Integer, primary_key=True),
    Column("trace", Text, nullable=False),
    Column("started", Boolean, nullable=False),
    Column("ended", Boolean, nullable=False),
    Column("moved_at", DateTime(timezone=True), nullable=False),
    Column("look_at", DateTime(timezone=True), nullable=False),
    Column("signed_by", Text),
)

machine_waits = Table(
    "machine_waits",
    metadata,
    Column("tenant", Text, primary_key=True),
    Column("id", Text, primary_key=True),
    Column("plan_id", Text, nullable=False),
    Column("asked", Text, nullable=False),
    Column("step", JSONB),
    Column("token", Text, nullable=False),
    Column("until", DateTime(timezone=True), nullable=False),
)
