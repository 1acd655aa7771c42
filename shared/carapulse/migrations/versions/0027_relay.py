"""What a publisher to a broker of a cloud needs: take what is to be sent, and hand out what was. Kind: expand."""

from alembic import op

from carapulse.migrations.tenancy import callable_by_app

revision = "0027"
down_revision = "0026"

# What nobody took yet may be taken somewhat before it is due, because the broker itself can delay it. What was taken
# (it has a receipt) is taken again only when its time is over: then the broker lost it, or its worker never came back.
_PUBLISH = """
CREATE FUNCTION messages_to_publish(queues text[], how_many integer, ahead interval, hidden interval)
RETURNS TABLE (id text, receipt uuid, tenant text, queue text, type text, subject text, trace text,
    created_at timestamptz, delay_s double precision)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    moment timestamptz := clock_timestamp();
BEGIN
    RETURN QUERY
    WITH due AS (
        SELECT d.id, greatest(d.available_at, moment) AS at FROM messages d
        WHERE d.queue = ANY (queues) AND d.dead_at IS NULL AND d.available_at <= moment + ahead
            AND (d.receipt IS NULL OR d.available_at <= moment)
        ORDER BY d.available_at LIMIT how_many FOR UPDATE SKIP LOCKED
    )
    UPDATE messages m
    SET attempts = m.attempts + 1, receipt = gen_random_uuid(), available_at = due.at + hidden
    FROM due WHERE m.id = due.id
    RETURNING m.id, m.receipt, m.tenant, m.queue, m.type,
        coalesce(m.body ->> 'execution_id', m.body ->> 'plan_id', m.id), m.trace, m.created_at,
        extract(epoch FROM due.at - moment)::double precision;
END
$$
"""

# The answer of a broker: what it has is left alone for so long, what it did not take is due again.
_PUBLISHED = """
CREATE FUNCTION settle_published(sent text[], receipts uuid[], hidden interval, accepted boolean) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    UPDATE messages m
    SET available_at = CASE WHEN accepted THEN m.available_at ELSE clock_timestamp() END + hidden,
        receipt = CASE WHEN accepted THEN m.receipt END
    WHERE m.id = ANY (sent) AND m.receipt = ANY (receipts)
$$
"""

_CLAIM = """
CREATE FUNCTION claim_message(owner text, message text, delivery uuid, hidden interval) RETURNS SETOF messages
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM set_config('carapulse.tenant', owner, true);
    RETURN QUERY UPDATE messages m SET available_at = greatest(m.available_at, clock_timestamp() + hidden)
    WHERE m.tenant = owner AND m.id = message AND m.receipt = delivery AND m.dead_at IS NULL
    RETURNING m.*;
END
$$
"""


def upgrade() -> None:
    """Make the functions; the first two cross tenants, as those do that workers take messages with."""
    for function in (_PUBLISH, _PUBLISHED, _CLAIM):
        op.execute(function)
    callable_by_app("messages_to_publish(text[], integer, interval, interval)")
    callable_by_app("settle_published(text[], uuid[], interval, boolean)")
    callable_by_app("claim_message(text, text, uuid, interval)")
