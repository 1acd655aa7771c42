"""A long queue is not read from end to end to find what is due. Kind: expand.

Before Postgres 18 the statement of an SQL function is planned without its arguments: a tenth of all messages is assumed
to be wanted, and the whole table is read and sorted for each that is taken. PL/pgSQL plans with the arguments, and an
array of keys leaves nothing to guess in the update. The moment is asked for once: an index can't be searched for what
may be different for each row, so everything that waits for later was looked at too.

When something is due next is looked up for each queue, instead of being the least of all that waits.
"""

from alembic import op

revision = "0014"
down_revision = "0013"

_TAKE = """
CREATE OR REPLACE FUNCTION take_messages(queues text[], how_many integer, visibility interval) RETURNS SETOF messages
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    moment timestamptz := clock_timestamp();
BEGIN
    RETURN QUERY
    UPDATE messages m
    SET attempts = attempts + 1, receipt = gen_random_uuid(), available_at = moment + visibility
    WHERE m.id = ANY (ARRAY(
        SELECT d.id FROM messages d
        WHERE d.queue = ANY (queues) AND d.dead_at IS NULL AND d.available_at <= moment
        ORDER BY d.available_at LIMIT how_many FOR UPDATE SKIP LOCKED
    ))
    RETURNING m.*;
END
$$
"""
_DUE = """
CREATE OR REPLACE FUNCTION next_message_due(queues text[]) RETURNS timestamptz
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT min(first.due) FROM unnest(queues) name, LATERAL (
        SELECT m.available_at AS due FROM messages m
        WHERE m.queue = name AND m.dead_at IS NULL ORDER BY m.available_at LIMIT 1
    ) first
$$
"""


def upgrade() -> None:
    """Replace both functions; who may call them stays."""
    op.execute(_TAKE)
    op.execute(_DUE)
