"""The keys' table."""

from sqlalchemy import Column, DateTime, MetaData, SmallInteger, Table, Text

metadata = MetaData()

idempotency_keys = Table(
    "idempotency_keys",
    metadata,
    Column("tenant", Text, primary_key=True),
    Column("actor", Text, primary_key=True),
    Column("key", Text, primary_key=True),
    Column("fingerprint", Text, nullable=False),
    Column("attempt", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("trace", Text, nullable=False),
    Column("claimed_at", DateTime(timezone=True), nullable=False),
    Column("leased_until", DateTime(timezone=True), nullable=False),
    Column("permission", Text),
    Column("status", SmallInteger),
    Column("location", Text),
    Column("withheld", Text),
    Column("sealed", Text),
)
