"""The event log's tables. The app role may insert events and read them, never change or delete them."""

from sqlalchemy import BigInteger, Column, DateTime, FetchedValue, MetaData, Table, Text
from sqlalchemy.dialects.postgresql import JSONB

metadata = MetaData()

streams = Table(
    "streams",
    metadata,
    Column("tenant", Text, primary_key=True),
    Column("stream", Text, primary_key=True),
    Column("seq", BigInteger, nullable=False),
    Column("hash", Text, nullable=False),
)

events = Table(
    "events",
    metadata,
    Column("position", BigInteger, nullable=False, unique=True, server_default=FetchedValue()),
    Column("tenant", Text, nullable=False),
    Column("stream", Text, nullable=False),
    Column("seq", BigInteger, nullable=False),
    Column("id", Text, nullable=False),
    Column("type", Text, nullable=False),
    Column("at", DateTime(timezone=True), nullable=False),
    Column("actor", Text, nullable=False),
    Column("trace", Text, nullable=False),
    Column("body", JSONB, nullable=False),
    Column("prev", Text, nullable=False),
    Column("hash", Text, nullable=False),
)

event_archives = Table(
    "event_archives",
    metadata,
    Column("tenant", Text, primary_key=True),
    Column("first", BigInteger, primary_key=True),
    Column("last", BigInteger, nullable=False),
    Column("count", BigInteger, nullable=False),
    Column("digest", Text, nullable=False),
    Column("contents", Text, nullable=False),
    Column("at", DateTime(timezone=True), nullable=False),
)
