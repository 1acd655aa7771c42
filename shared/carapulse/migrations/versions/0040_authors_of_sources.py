"""Who can decide what a source asks for, and so may not approve it. Kind: expand.

What was there before is read from the log: whoever registered or changed a source, or was given a proof of it.
"""

from alembic import op

revision = "0040"
down_revision = "0039"

_COLUMN = "ALTER TABLE sources ADD COLUMN IF NOT EXISTS authors jsonb NOT NULL DEFAULT '[]'"
_WALL_DOWN = "ALTER TABLE sources NO FORCE ROW LEVEL SECURITY"
_WALL_UP = "ALTER TABLE sources FORCE ROW LEVEL SECURITY"
_FORMER = """
UPDATE sources s SET authors = coalesce((
    SELECT jsonb_agg(DISTINCT e.actor) FROM events e
    WHERE e.tenant = s.tenant AND e.stream = s.id
        AND e.type IN ('SourceRegistered', 'SourceChanged', 'CredentialIssued')), '[]')
WHERE s.authors = '[]'
"""


def upgrade() -> None:
    """Add the column, and fill it for the sources that there are."""
    op.execute(_COLUMN)
    op.execute(_WALL_DOWN)
    op.execute(_FORMER)
    op.execute(_WALL_UP)
