"""Nothing yet: the number is kept for what executions need. Kind: expand."""

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    """Change nothing."""
