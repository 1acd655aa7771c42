"""The tables of the context: what sources say, and snapshots that the app role can only add and read."""

from sqlalchemy import Boolean, Column, DateTime, Integer, MetaData, Table, Text
from sqlalchemy.dialects.postgresql import JSONB

metadata = MetaData()

nodes = Table(
    "context_nodes",
    metadata,
    Column("tenant", Text, primary_key=True),
    Column("id", Text, primary_key=True),
    Column("source", Text, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("labels", JSONB, nullable=False),
    Column("owner_team", Text),
    Column("stated_at", DateTime(timezone=True), nullable=False),
)

edges = Table(
    "context_edges",
    metadata,
    Column("tenant", Text, primary_key=True),
    Column("from_id", Text, primary_key=True),
    Column("to_id", Text, primary_key=True),
    Column("relation", Text, primary_key=True),
    Column("source", Text, primary_key=True),
    Column("labels", JSONB, nullable=False),
    Column("stated_at", DateTime(timezone=True), nullable=False),
)

contents = Table(
    "context_contents",
    metadata,
    Column("tenant", Text, primary_key=True),
    Column("digest", Text, primary_key=True),
    Column("content", JSONB, nullable=False),
)

snapshots = Table(
    "context_snapshots",
    metadata,
    Column("tenant", Text, primary_key=True),
    Column("id", Text, primary_key=True),
    Column("digest", Text, nullable=False),
    Column("source", Text, nullable=False),
    Column("complete", Boolean, nullable=False),
    Column("taken_at", DateTime(timezone=True), nullable=False),
    Column("taken_by", Text, nullable=False),
    Column("node_count", Integer, nullable=False),
    Column("edge_count", Integer, nullable=False),
    Column("labels", JSONB, nullable=False),
)
