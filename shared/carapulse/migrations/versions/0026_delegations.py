"""Answers that one person hands to another. Kind: expand."""

from alembic import op

from carapulse.migrations.tenancy import wall

revision = "0026"
down_revision = "0025"

_TABLES = """
ALTER TABLE approval_answers ADD COLUMN on_behalf_of text;
CREATE TABLE approval_delegations (
    tenant text NOT NULL CHECK (tenant <> ''),
    approval_id text COLLATE "C" NOT NULL,
    delegator text NOT NULL CHECK (delegator <> ''),
    at timestamptz NOT NULL,
    delegate text NOT NULL CHECK (delegate NOT IN ('', delegator)),
    note text,
    until timestamptz NOT NULL CHECK (until > at),
    PRIMARY KEY (tenant, approval_id, delegator, at),
    FOREIGN KEY (tenant, approval_id) REFERENCES approvals (tenant, id)
);
"""


def upgrade() -> None:
    """Make the table; the app role can only add to it, as to answers."""
    op.execute(_TABLES)
    wall("approval_delegations", "SELECT, INSERT")
