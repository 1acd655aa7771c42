"""Tenants' own versions of workflows. Kind: expand."""

from alembic import op

from carapulse.migrations.tenancy import app_role, wall

revision = "0023"
down_revision = "0022"

_TABLE = """
CREATE TABLE workflow_versions (
    tenant text NOT NULL CHECK (tenant <> ''),
    name text COLLATE "C" NOT NULL CHECK (name <> ''),
    version integer NOT NULL CHECK (version > 0),
    recipe jsonb NOT NULL CHECK (recipe ->> 'name' = name AND (recipe ->> 'version')::integer = version),
    digest text NOT NULL CHECK (digest LIKE 'sha256:%'),
    created_by text NOT NULL CHECK (created_by <> ''),
    created_at timestamptz NOT NULL,
    retired_at timestamptz,
    retired_by text,
    PRIMARY KEY (tenant, name, version),
    CHECK ((retired_at IS NULL) = (retired_by IS NULL))
);
CREATE INDEX workflow_versions_current ON workflow_versions (tenant, name, version DESC) WHERE retired_at IS NULL;
"""


def upgrade() -> None:
    """Make the table; a version never changes, but for being retired."""
    op.execute(_TABLE)
    wall("workflow_versions", "SELECT, INSERT")
    op.execute(f"GRANT UPDATE (retired_at, retired_by) ON workflow_versions TO {app_role()}")
