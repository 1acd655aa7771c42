"""Functions that see every tenant look for tables in the callers' temporary schema last. Kind: expand.

A schema that search_path doesn't name is searched first if it is pg_temp: a caller's own table `messages`, with a
trigger, would have been updated as the owner (PostgreSQL manual, CREATE FUNCTION, "Writing SECURITY DEFINER Functions
Safely").
"""

from alembic import op

revision = "0007"
down_revision = "0006"

_FUNCTIONS = (
    "take_messages(text[], integer, interval)",
    "next_message_due(text[])",
    "uncovered_events()",
    "owner_of_source(text)",
)


def upgrade() -> None:
    """Name pg_temp, at the end."""
    for function in _FUNCTIONS:
        op.execute(f"ALTER FUNCTION {function} SET search_path = pg_catalog, public, pg_temp")
