"""Where executions are kept: their state, leases, locks, outputs and the lines that tools write."""

from sqlalchemy import BigInteger, Boolean, Column, DateTime, Integer, MetaData, Table, Text
from sqlalchemy.dialects.postgresql import JSONB

metadata = MetaData()

executions = Table(
    "executions",
    metadata,
    Column("tenant", Text, primary_key=True),
    Column("id", Text, primary_key=True),
    Column("plan_id", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("state", JSONB, nullable=False),
    Column("dry_run", Boolean, nullable=False),
    Column("lines", BigInteger, nullable=False),
    Column("look_at", DateTime(timezone=True)),
    Column("started_at", DateTime(timezone=True), nullable=False),
    Column("finished_at", DateTime(timezone=True)),
)

execution_steps = Table(
    "execution_steps",
    metadata,
    Column("tenant", Text, primary_key=True),
    Column("execution_id", Text, primary_key=True),
    Column("place", Integer, primary_key=True),
    Column("step_id", Text, nullable=False),
    Column("parts", JSONB, nullable=False),
    Column("facts", JSONB, nullable=False),
    Column("captured", JSONB),
)

target_locks = Table(
    "target_locks",
    metadata,
    Column("tenant", Text, primary_key=True),
    Column("target", Text, primary_key=True),
    Column("execution_id", Text, nullable=False),
)

run_leases = Table(
    "run_leases",
    metadata,
    Column("id", Text, primary_key=True),
    Column("tenant", Text, nullable=False),
    Column("execution_id", Text, nullable=False),
    Column("until", DateTime(timezone=True), nullable=False),
)

step_outputs = Table(
    "step_outputs",
    metadata,
    Column("tenant", Text, primary_key=True),
    Column("execution_id", Text, primary_key=True),
    Column("step_id", Text, primary_key=True),
    Column("phase", Text, primary_key=True),
    Column("fence", Integer, primary_key=True),
    Column("digest", Text, nullable=False),
    Column("output", JSONB),
    Column("text", Text, nullable=False),
    Column("truncated", Boolean, nullable=False),
)

step_lines = Table(
    "step_lines",
    metadata,
    Column("tenant", Text, nullable=False),
    Column("execution_id", Text, primary_key=True),
    Column("n", BigInteger, primary_key=True),
    Column("step_id", Text, nullable=False),
    Column("phase", Text, nullable=False),
    Column("at", DateTime(timezone=True), nullable=False),
    Column("line", Text, nullable=False),
)
