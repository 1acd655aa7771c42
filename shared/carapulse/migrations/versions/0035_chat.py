"""Workspaces of chats, who is linked to whom there, and which signed requests were taken. Kind: expand.

`owner_of_workspace` answers the one question that is asked before the tenant is known. What is over goes by
`drop_old_chat`, for all tenants at once. Requests of a workspace are counted as those of a source are.
"""

from alembic import op

from carapulse.migrations.tenancy import callable_by_app, open_to_owner, wall

revision = "0035"
down_revision = "0034"

_TABLES = """
CREATE TABLE chat_workspaces (
    tenant text NOT NULL CHECK (tenant <> ''),
    id text COLLATE "C" NOT NULL CHECK (id LIKE 'chat\\_%'),
    name text NOT NULL CHECK (name <> ''),
    kind text NOT NULL CHECK (kind IN ('slack')),
    team_id text NOT NULL CHECK (team_id ~ '^[TE][A-Z0-9]{1,31}$'),
    sealed text NOT NULL CHECK (sealed <> ''),
    revision integer NOT NULL CHECK (revision > 0),
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL CHECK (updated_at >= created_at),
    PRIMARY KEY (tenant, id),
    UNIQUE (tenant, name)
);
CREATE UNIQUE INDEX chat_workspaces_id ON chat_workspaces (id);
CREATE TABLE chat_codes (
    tenant text NOT NULL CHECK (tenant <> ''),
    digest text NOT NULL CHECK (digest LIKE 'sha256:%'),
    id text COLLATE "C" NOT NULL CHECK (id LIKE 'code\\_%'),
    subject text NOT NULL CHECK (subject <> ''),
    principal jsonb NOT NULL CHECK (
        principal ->> 'tenant' = tenant AND principal #>> '{actor,kind}' = 'person'
        AND principal #>> '{actor,id}' = subject AND principal #>> '{proof,kind}' = 'token'
    ),
    expires_at timestamptz NOT NULL,
    PRIMARY KEY (tenant, digest)
);
CREATE UNIQUE INDEX chat_codes_subject ON chat_codes (tenant, subject);
CREATE INDEX chat_codes_expires ON chat_codes (expires_at);
CREATE TABLE chat_links (
    tenant text NOT NULL CHECK (tenant <> ''),
    id text COLLATE "C" NOT NULL CHECK (id LIKE 'link\\_%'),
    workspace_id text COLLATE "C" NOT NULL,
    chat_user text NOT NULL CHECK (chat_user ~ '^[UW][A-Z0-9]{1,31}$'),
    subject text NOT NULL CHECK (subject <> ''),
    principal jsonb NOT NULL CHECK (
        principal ->> 'tenant' = tenant AND principal #>> '{actor,kind}' = 'person'
        AND principal #>> '{actor,id}' = subject AND principal #>> '{proof,kind}' = 'token'
    ),
    linked_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL CHECK (expires_at > linked_at AND expires_at <= linked_at + interval '72 hours'),
    PRIMARY KEY (tenant, id),
    UNIQUE (tenant, workspace_id, chat_user),
    FOREIGN KEY (tenant, workspace_id) REFERENCES chat_workspaces (tenant, id) ON DELETE CASCADE
);
CREATE INDEX chat_links_subject ON chat_links (tenant, subject);
CREATE INDEX chat_links_expires ON chat_links (expires_at);
CREATE TABLE chat_requests (
    tenant text NOT NULL CHECK (tenant <> ''),
    workspace_id text COLLATE "C" NOT NULL,
    digest text NOT NULL CHECK (digest LIKE 'sha256:%'),
    until timestamptz NOT NULL,
    PRIMARY KEY (tenant, workspace_id, digest),
    FOREIGN KEY (tenant, workspace_id) REFERENCES chat_workspaces (tenant, id) ON DELETE CASCADE
);
CREATE INDEX chat_requests_until ON chat_requests (until);
"""

_OWNER = """
CREATE FUNCTION owner_of_workspace(wanted text) RETURNS TABLE (tenant text, name text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT w.tenant, w.name FROM chat_workspaces w WHERE w.id = wanted
$$
"""

_COUNT = """
DO $do$
DECLARE
    one constant regprocedure := 'take_rates(text, text, jsonb, integer, timestamptz)';
    before constant text := $old$owner_of_source(claims -> 0 ->> 'name')$old$;
    after constant text := $new$(
            SELECT s.tenant FROM owner_of_source(claims -> 0 ->> 'name') s
            UNION ALL SELECT w.tenant FROM owner_of_workspace(claims -> 0 ->> 'name') w
        )$new$;
BEGIN
    IF position(before IN pg_get_functiondef(one)) = 0 THEN
        RAISE EXCEPTION 'take_rates does not ask whose a source is';
    END IF;
    EXECUTE replace(pg_get_functiondef(one), before, after);
END
$do$
"""

_DROP = """
CREATE FUNCTION drop_old_chat() RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    before timestamptz := clock_timestamp() - interval '10 minutes';
    gone bigint;
    more bigint;
BEGIN
    DELETE FROM chat_requests r WHERE (r.tenant, r.workspace_id, r.digest) IN (
        SELECT o.tenant, o.workspace_id, o.digest FROM chat_requests o
        WHERE o.until < before ORDER BY o.until LIMIT 10000 FOR UPDATE SKIP LOCKED
    );
    GET DIAGNOSTICS gone = ROW_COUNT;
    DELETE FROM chat_codes c WHERE (c.tenant, c.digest) IN (
        SELECT o.tenant, o.digest FROM chat_codes o
        WHERE o.expires_at < before ORDER BY o.expires_at LIMIT 10000 FOR UPDATE SKIP LOCKED
    );
    GET DIAGNOSTICS more = ROW_COUNT;
    gone := gone + more;
    DELETE FROM chat_links l WHERE (l.tenant, l.id) IN (
        SELECT o.tenant, o.id FROM chat_links o
        WHERE o.expires_at < before ORDER BY o.expires_at LIMIT 10000 FOR UPDATE SKIP LOCKED
    );
    GET DIAGNOSTICS more = ROW_COUNT;
    RETURN gone + more;
END
$$
"""


def upgrade() -> None:
    """Make the tables, their walls, and the two functions that look over them."""
    op.execute(_TABLES)
    wall("chat_workspaces", "SELECT, INSERT, UPDATE, DELETE")
    wall("chat_codes", "SELECT, INSERT, DELETE")
    wall("chat_links", "SELECT, INSERT, DELETE, UPDATE (expires_at)")
    wall("chat_requests", "SELECT, INSERT, DELETE")
    for table in ("chat_workspaces", "chat_codes", "chat_links", "chat_requests"):
        open_to_owner(table)
    op.execute(_OWNER)
    callable_by_app("owner_of_workspace(text)")
    op.execute(_COUNT)
    op.execute(_DROP)
    callable_by_app("drop_old_chat()")
