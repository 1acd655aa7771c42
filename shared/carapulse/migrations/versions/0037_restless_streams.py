"""Streams of what is used every day keep no event from its archive: chats, collectors and schedules. Kind: expand.

They never rest, as those of sources and channels, and nobody reads one from its beginning.
"""

from alembic import op

revision = "0037"
down_revision = "0036"

_MAY_GO = """
DO $do$
DECLARE
    one constant regprocedure := 'events_may_go(partitions, timestamptz)';
    before constant text := $old$AND e.stream NOT LIKE 'channel\\_%'$old$;
    more constant text := $new$ AND e.stream NOT LIKE 'chat\\_%'
            AND e.stream NOT LIKE 'collector\\_%' AND e.stream NOT LIKE 'schedule\\_%'$new$;
BEGIN
    IF position(before IN pg_get_functiondef(one)) = 0 THEN
        RAISE EXCEPTION 'events_may_go does not name the streams that never rest';
    END IF;
    EXECUTE replace(pg_get_functiondef(one), before, before || more);
END
$do$
"""


def upgrade() -> None:
    """Change the function; who may call it stays."""
    op.execute(_MAY_GO)
