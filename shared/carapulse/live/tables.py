"""Tickets that were not used yet, and clients whose sockets a gateway holds. What was issued and used is in the log."""

from sqlalchemy import BigInteger, Boolean, Column, DateTime, Integer, MetaData, Table, Text
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

live_connections = Table(
    "live_connections",
    metadata,
    Column("tenant", Text, primary_key=True),
    Column("id", Text, primary_key=True),
    Column("principal", JSONB, nullable=False),
    Column("ask", JSONB, nullable=False),
    Column("turn", Integer, nullable=False),
    Column("since", BigInteger),
    Column("pings", Integer, nullable=False),
    Column("ending", JSONB(none_as_null=True)),
    Column("opened_at", DateTime(timezone=True), nullable=False),
    Column("heard_at", DateTime(timezone=True), nullable=False),
    Column("heard", Integer, nullable=False),
    Column("told", BigInteger),
    Column("opened", Integer, nullable=False),
    Column("pongs", Integer, nullable=False),
    Column("spoke_at", DateTime(timezone=True), nullable=False),
    Column("refused_at", DateTime(timezone=True)),
)

live_pusher = Table(
    "live_pusher",
    metadata,
    Column("only_one", Boolean, primary_key=True),
    Column("holder", Text, nullable=False),
    Column("until", DateTime(timezone=True), nullable=False),
    Column("wanted", BigInteger, nullable=False),
)
