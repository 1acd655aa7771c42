"""The tables of plans: heads, and versions that the app role can only add and read."""

from sqlalchemy import Boolean, Column, DateTime, Integer, MetaData, Table, Text
from sqlalchemy.dialects.postgresql import JSONB

metadata = MetaData()

plans = Table(
    "plans",
    metadata,
    Column("tenant", Text, primary_key=True),
    Column("id", Text, primary_key=True),
    Column("version", Integer, nullable=False),
    Column("digest", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("risk", Text, nullable=False),
    Column("decision", Text, nullable=False),
    Column("decision_id", Text, nullable=False),
    Column("reasons", JSONB, nullable=False),
    Column("approvals_required", Integer, nullable=False),
    Column("self_approval", Boolean, nullable=False),
    Column("summary", Text, nullable=False),
    Column("trigger", Text, nullable=False),
    Column("environment", Text, nullable=False),
    Column("service", Text),
    Column("created_at", DateTime(timezone=True), nullable=False),
    Column("requested_by", Text, nullable=False),
    Column("execution_id", Text),
    Column("archived_at", DateTime(timezone=True)),
)

plan_versions = Table(
    "plan_versions",
    metadata,
    Column("tenant", Text, primary_key=True),
    Column("plan_id", Text, primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("digest", Text, nullable=False),
    Column("body", JSONB, nullable=False),
)
