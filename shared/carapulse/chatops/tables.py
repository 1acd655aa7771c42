"""The tables of ChatOps."""

from sqlalchemy import Column, DateTime, Integer, MetaData, Table, Text
from sqlalchemy.dialects.postgresql import JSONB

metadata = MetaData()

workspaces = Table(
    "chat_workspaces",
    metadata,
    Column("tenant", Text, primary_key=True),
    Column("id", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("team_id", Text, nullable=False),
    Column("sealed", Text, nullable=False),
    Column("revision", Integer, nullable=False),
    Column("created_at", DateTime(timezone=True), nullable=False),
    Column("updated_at", DateTime(timezone=True), nullable=False),
)

codes = Table(
    "chat_codes",
    metadata,
    Column("tenant", Text, primary_key=True),
    Column("digest", Text, primary_key=True),
    Column("id", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("principal", JSONB, nullable=False),
    Column("expires_at", DateTime(timezone=True), nullable=False),
)

links = Table(
    "chat_links",
    metadata,
    Column("tenant", Text, primary_key=True),
    Column("id", Text, primary_key=True),
    Column("workspace_id", Text, nullable=False),
    Column("chat_user", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("principal", JSONB, nullable=False),
    Column("linked_at", DateTime(timezone=True), nullable=False),
    Column("expires_at", DateTime(timezone=True), nullable=False),
)

requests = Table(
    "chat_requests",
    metadata,
    Column("tenant", Text, primary_key=True),
    Column("workspace_id", Text, primary_key=True),
    Column("digest", Text, primary_key=True),
    Column("until", DateTime(timezone=True), nullable=False),
)
