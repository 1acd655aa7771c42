"""The program may see which migration the database has, to refuse one that is too old. Kind: expand."""

from alembic import op

from carapulse.migrations.tenancy import app_role

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    """Let the app role read the version."""
    op.execute(f"GRANT SELECT ON alembic_version TO {app_role()}")
