"""Which sealing key made what is kept, so that one can be followed by another. Kind: expand.

`kept_by_key` looks over the walls and counts: whose rows in which place were made by which key, which is no secret.
Where nobody noted the key, it is ''. What is sealed anew is read and written within the walls.
"""

from alembic import op

from carapulse.migrations.tenancy import app_role, callable_by_app, open_to_owner

revision = "0039"
down_revision = "0038"

_COLUMNS = """
ALTER TABLE api_keys ADD COLUMN marked_by text CHECK (marked_by ~ '^[0-9a-f]{16}$');
ALTER TABLE machines ADD COLUMN signed_by text CHECK (signed_by ~ '^[0-9a-f]{16}$');
"""

_COUNT = """
CREATE FUNCTION kept_by_key() RETURNS TABLE (whose text, place text, key text, how_many bigint)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT t.tenant, t.place, coalesce(substring(t.head FROM '^v2[.]([0-9a-f]{16})[.]'), ''), count(*) FROM (
        SELECT c.tenant, 'source_credentials.sealed' AS place, left(c.sealed, 20) AS head FROM source_credentials c
        UNION ALL SELECT i.tenant, 'idempotency_keys.sealed', left(i.sealed, 20) FROM idempotency_keys i
        UNION ALL SELECT h.tenant, 'channels.sealed', left(h.sealed, 20) FROM channels h
        UNION ALL SELECT s.tenant, 'channel_secrets.sealed', left(s.sealed, 20) FROM channel_secrets s
        UNION ALL SELECT w.tenant, 'chat_workspaces.sealed', left(w.sealed, 20) FROM chat_workspaces w
        UNION ALL SELECT m.tenant, 'machine_waits.token', left(m.token, 20) FROM machine_waits m
        UNION ALL SELECT q.tenant, 'messages.' || q.type,
            left(CASE q.type WHEN 'TellChat' THEN q.body ->> 'sealed_address' ELSE q.body ->> 'token' END, 20)
            FROM messages q WHERE q.type IN ('TellChat', 'MachineAsked', 'AttemptAsked')
    ) t WHERE t.head IS NOT NULL GROUP BY 1, 2, 3
    UNION ALL
    SELECT k.tenant, 'api_keys.mark', coalesce(k.marked_by, ''), count(*) FROM api_keys k
    WHERE k.revoked_at IS NULL AND k.expires_at > clock_timestamp() GROUP BY 1, 2, 3
    UNION ALL
    SELECT m.tenant, 'machines.signature', coalesce(m.signed_by, ''), count(*) FROM machines m
    WHERE NOT m.ended GROUP BY 1, 2, 3
$$
"""


def upgrade() -> None:
    """Make the columns and the function, and let the app role write what it makes anew."""
    op.execute(_COLUMNS)
    op.execute(f"GRANT UPDATE (mark, marked_by) ON api_keys TO {app_role()}")
    op.execute(f"GRANT UPDATE (token) ON machine_waits TO {app_role()}")
    for table in ("source_credentials", "channel_secrets", "machine_waits"):
        open_to_owner(table)
    op.execute(_COUNT)
    callable_by_app("kept_by_key()")
