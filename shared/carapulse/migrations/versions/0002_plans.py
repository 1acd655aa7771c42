"""Plans: heads and immutable versions. Kind: expand."""

from alembic import op

from carapulse.migrations.tenancy import wall

revision = "0002"
down_revision = "0001"

_TABLES = """
CREATE TABLE plans (
    tenant text NOT NULL CHECK (tenant <> ''),
    id text COLLATE "C" NOT NULL CHECK (id LIKE 'plan\\_%'),
    version integer NOT NULL CHECK (version > 0),
    digest text NOT NULL CHECK (digest LIKE 'sha256:%'),
    status text NOT NULL CHECK (
        status IN ('awaiting_approval', 'approved', 'rejected', 'expired', 'executing', 'done', 'closed')
    ),
    risk text NOT NULL CHECK (risk IN ('read', 'low', 'medium', 'high')),
    decision text NOT NULL CHECK (decision IN ('allow', 'require_approval')),
    decision_id text NOT NULL,
    reasons jsonb NOT NULL,
    approvals_required integer NOT NULL CHECK ((decision = 'require_approval') = (approvals_required > 0)),
    self_approval boolean NOT NULL,
    summary text NOT NULL,
    trigger text NOT NULL CHECK (trigger IN ('manual', 'alert', 'webhook', 'scheduled', 'workflow')),
    environment text NOT NULL CHECK (environment <> ''),
    service text,
    created_at timestamptz NOT NULL,
    requested_by text NOT NULL CHECK (requested_by <> ''),
    execution_id text,
    PRIMARY KEY (tenant, id),
    CHECK (status <> 'executing' OR execution_id IS NOT NULL)
);
CREATE INDEX plans_status ON plans (tenant, status, id);
CREATE INDEX plans_environment ON plans (tenant, environment, id);
CREATE INDEX plans_risk ON plans (tenant, risk, id);
CREATE INDEX plans_trigger ON plans (tenant, trigger, id);
CREATE TABLE plan_versions (
    tenant text NOT NULL,
    plan_id text COLLATE "C" NOT NULL,
    version integer NOT NULL CHECK (version > 0),
    digest text NOT NULL CHECK (digest LIKE 'sha256:%'),
    body jsonb NOT NULL,
    PRIMARY KEY (tenant, plan_id, version),
    FOREIGN KEY (tenant, plan_id) REFERENCES plans (tenant, id),
    CHECK (body ->> 'plan_id' = plan_id AND (body ->> 'version')::integer = version)
);
ALTER TABLE plans ADD CONSTRAINT plans_version
    FOREIGN KEY (tenant, id, version) REFERENCES plan_versions (tenant, plan_id, version)
    DEFERRABLE INITIALLY DEFERRED;
"""


def upgrade() -> None:
    """Make the tables; the app role can change heads, and only add versions."""
    op.execute(_TABLES)
    wall("plans", "SELECT, INSERT, UPDATE")
    wall("plan_versions", "SELECT, INSERT")
