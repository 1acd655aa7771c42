"""Approvals: envelopes, and answers that nobody can change. Kind: expand."""

from alembic import op

from carapulse.migrations.tenancy import wall

revision = "0003"
down_revision = "0002"

_TABLES = """
CREATE TABLE approvals (
    tenant text NOT NULL CHECK (tenant <> ''),
    id text COLLATE "C" NOT NULL CHECK (id LIKE 'approval\\_%'),
    plan_id text COLLATE "C" NOT NULL,
    version integer NOT NULL,
    digest text NOT NULL CHECK (digest LIKE 'sha256:%'),
    requested_by text NOT NULL CHECK (requested_by <> ''),
    summary text NOT NULL,
    risk text NOT NULL CHECK (risk IN ('read', 'low', 'medium', 'high')),
    environment text NOT NULL,
    required integer NOT NULL CHECK (required > 0),
    self_approval_allowed boolean NOT NULL,
    status text NOT NULL CHECK (status IN ('pending', 'approved', 'denied', 'expired', 'used', 'revoked')),
    requested_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL CHECK (expires_at > requested_at),
    closed_at timestamptz,
    execution_id text,
    PRIMARY KEY (tenant, id),
    FOREIGN KEY (tenant, plan_id, version) REFERENCES plan_versions (tenant, plan_id, version),
    CHECK ((status IN ('pending', 'approved')) = (closed_at IS NULL)),
    CHECK (status <> 'used' OR execution_id IS NOT NULL)
);
CREATE UNIQUE INDEX approvals_one_open ON approvals (tenant, plan_id) WHERE status IN ('pending', 'approved');
CREATE UNIQUE INDEX approvals_one_use ON approvals (tenant, execution_id) WHERE execution_id IS NOT NULL;
CREATE INDEX approvals_plan ON approvals (tenant, plan_id, id);
CREATE INDEX approvals_status ON approvals (tenant, status, id);
CREATE TABLE approval_answers (
    tenant text NOT NULL,
    approval_id text COLLATE "C" NOT NULL,
    approver text NOT NULL CHECK (approver <> ''),
    status text NOT NULL CHECK (status IN ('approved', 'denied')),
    note text,
    at timestamptz NOT NULL,
    PRIMARY KEY (tenant, approval_id, approver),
    FOREIGN KEY (tenant, approval_id) REFERENCES approvals (tenant, id)
);
"""


def upgrade() -> None:
    """Make the tables; the app role can move envelopes on, and only add answers."""
    op.execute(_TABLES)
    wall("approvals", "SELECT, INSERT, UPDATE")
    wall("approval_answers", "SELECT, INSERT")
