"""Keys that follow keys, and why one was revoked. Kind: expand."""

from alembic import op

from carapulse.migrations.tenancy import app_role

revision = "0028"
down_revision = "0027"

_COLUMNS = """
ALTER TABLE api_keys ADD COLUMN revoked_because text CHECK (revoked_because <> '');
ALTER TABLE api_keys ADD COLUMN replaces text COLLATE "C";
ALTER TABLE api_keys ADD COLUMN replaced_by text COLLATE "C";
ALTER TABLE api_keys ADD CHECK (revoked_because IS NULL OR revoked_at IS NOT NULL);
ALTER TABLE api_keys ADD UNIQUE (tenant, replaces);
ALTER TABLE api_keys ADD FOREIGN KEY (tenant, replaces) REFERENCES api_keys (tenant, id);
ALTER TABLE api_keys ADD FOREIGN KEY (tenant, replaced_by) REFERENCES api_keys (tenant, id);
"""


def upgrade() -> None:
    """Add the columns. A key that is followed ends sooner, so the app role may write when."""
    op.execute(_COLUMNS)
    op.execute(f"GRANT UPDATE (expires_at, revoked_because, replaced_by) ON api_keys TO {app_role()}")
