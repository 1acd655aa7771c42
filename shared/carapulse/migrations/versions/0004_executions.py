"""Executions, their leases and locks, outputs and lines. Kind: expand."""

from alembic import op

from carapulse.migrations.tenancy import wall

revision = "0004"
down_revision = "0003"

_TABLES = """
CREATE TABLE executions (
    tenant text NOT NULL CHECK (tenant <> ''),
    id text NOT NULL,
    plan_id text NOT NULL,
    status text NOT NULL CHECK (status IN ('running', 'undoing', 'succeeded', 'failed', 'rolled_back',
        'rollback_failed', 'cancelled', 'timed_out', 'needs_human')),
    state jsonb NOT NULL,
    started_at timestamptz NOT NULL,
    finished_at timestamptz,
    PRIMARY KEY (tenant, id),
    FOREIGN KEY (tenant, plan_id) REFERENCES plans (tenant, id),
    CHECK ((finished_at IS NULL) = (status IN ('running', 'undoing')))
);
CREATE UNIQUE INDEX executions_one_active ON executions (tenant, plan_id) WHERE status IN ('running', 'undoing');
CREATE TABLE target_locks (
    tenant text NOT NULL,
    target text NOT NULL,
    execution_id text NOT NULL,
    PRIMARY KEY (tenant, target),
    FOREIGN KEY (tenant, execution_id) REFERENCES executions (tenant, id)
);
CREATE INDEX target_locks_execution ON target_locks (tenant, execution_id);
CREATE TABLE step_leases (
    tenant text NOT NULL,
    execution_id text NOT NULL,
    step_id text NOT NULL,
    phase text NOT NULL CHECK (phase IN ('run', 'undo')),
    fence integer NOT NULL,
    until timestamptz NOT NULL,
    PRIMARY KEY (tenant, execution_id, step_id, phase),
    FOREIGN KEY (tenant, execution_id) REFERENCES executions (tenant, id)
);
CREATE TABLE step_outputs (
    tenant text NOT NULL,
    execution_id text NOT NULL,
    step_id text NOT NULL,
    phase text NOT NULL CHECK (phase IN ('run', 'undo')),
    fence integer NOT NULL,
    digest text NOT NULL,
    output jsonb,
    text text NOT NULL,
    truncated boolean NOT NULL,
    PRIMARY KEY (tenant, execution_id, step_id, phase, fence),
    FOREIGN KEY (tenant, execution_id) REFERENCES executions (tenant, id)
);
CREATE TABLE step_lines (
    n bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    tenant text NOT NULL,
    execution_id text NOT NULL,
    step_id text NOT NULL,
    phase text NOT NULL,
    at timestamptz NOT NULL,
    line text NOT NULL,
    FOREIGN KEY (tenant, execution_id) REFERENCES executions (tenant, id)
);
CREATE INDEX step_lines_execution ON step_lines (tenant, execution_id, n);
"""


def upgrade() -> None:
    """Make the tables and their walls."""
    op.execute(_TABLES)
    wall("executions", "SELECT, INSERT, UPDATE")
    wall("target_locks", "SELECT, INSERT, DELETE")
    wall("step_leases", "SELECT, INSERT, UPDATE, DELETE")
    wall("step_outputs", "SELECT, INSERT")
    wall("step_lines", "SELECT, INSERT")
