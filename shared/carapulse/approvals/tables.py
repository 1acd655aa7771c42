"""The tables of approvals: envelopes, and answers and delegations that the app role can only add and read."""

from sqlalchemy import Boolean, Column, DateTime, Integer, MetaData, Table, Text

metadata = MetaData()

approvals = Table(
    "approvals",
    metadata,
    Column("tenant", Text, primary_key=True),
    Column("id", Text, primary_key=True),
    Column("plan_id", Text, nullable=False),
    Column("version", Integer, nullable=False),
    Column("digest", Text, nullable=False),
    Column("requested_by", Text, nullable=False),
    Column("summary", Text, nullable=False),
    Column("risk", Text, nullable=False),
    Column("environment", Text, nullable=False),
    Column("required", Integer, nullable=False),
    Column("self_approval_allowed", Boolean, nullable=False),
    Column("status", Text, nullable=False),
    Column("requested_at", DateTime(timezone=True), nullable=False),
    Column("expires_at", DateTime(timezone=True), nullable=False),
    Column("closed_at", DateTime(timezone=True)),
    Column("execution_id", Text),
)

answers = Table(
    "approval_answers",
    metadata,
    Column("tenant", Text, primary_key=True),
    Column("approval_id", Text, primary_key=True),
    Column("approver", Text, primary_key=True),
    Column("status", Text, nullable=False),
    Column("note", Text),
    Column("at", DateTime(timezone=True), nullable=False),
    Column("on_behalf_of", Text),
)

delegations = Table(
    "approval_delegations",
    metadata,
    Column("tenant", Text, primary_key=True),
    Column("approval_id", Text, primary_key=True),
    Column("delegator", Text, primary_key=True),
    Column("at", DateTime(timezone=True), primary_key=True),
    Column("delegate", Text, nullable=False),
    Column("note", Text),
    Column("until", DateTime(timezone=True), nullable=False),
)
