"""Intake: sources, their proofs, deliveries and alerts. Kind: expand."""

from alembic import op

from carapulse.migrations.tenancy import callable_by_app, open_to_owner, wall

revision = "0006"
down_revision = "0005"

_TABLES = """
CREATE TABLE sources (
    tenant text NOT NULL CHECK (tenant <> ''),
    id text COLLATE "C" NOT NULL UNIQUE CHECK (id LIKE 'src\\_%'),
    name text NOT NULL CHECK (name <> ''),
    registration jsonb NOT NULL CHECK (registration ->> 'trust' IN ('signed', 'path_token')),
    revision integer NOT NULL CHECK (revision > 0),
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    retired_at timestamptz,
    PRIMARY KEY (tenant, id)
);
CREATE UNIQUE INDEX sources_one_of_a_name ON sources (tenant, name) WHERE retired_at IS NULL;
CREATE TABLE source_credentials (
    tenant text NOT NULL,
    id text COLLATE "C" NOT NULL,
    source_id text COLLATE "C" NOT NULL,
    sealed text,
    token_digest text,
    created_at timestamptz NOT NULL,
    expires_at timestamptz,
    PRIMARY KEY (tenant, id),
    FOREIGN KEY (tenant, source_id) REFERENCES sources (tenant, id),
    CHECK ((sealed IS NULL) <> (token_digest IS NULL))
);
CREATE INDEX source_credentials_source ON source_credentials (tenant, source_id, id);
CREATE TABLE webhook_deliveries (
    number bigint GENERATED ALWAYS AS IDENTITY,
    tenant text NOT NULL,
    id text COLLATE "C" NOT NULL,
    source_id text COLLATE "C" NOT NULL,
    webhook_id text NOT NULL CHECK (webhook_id <> ''),
    trusted boolean NOT NULL,
    body_digest text NOT NULL CHECK (body_digest LIKE 'sha256:%'),
    payload jsonb NOT NULL,
    received_at timestamptz NOT NULL,
    sorted_at timestamptz CHECK (sorted_at >= received_at),
    PRIMARY KEY (tenant, id),
    UNIQUE (tenant, source_id, webhook_id),
    FOREIGN KEY (tenant, source_id) REFERENCES sources (tenant, id)
);
CREATE INDEX webhook_deliveries_unsorted ON webhook_deliveries (tenant, source_id, number) WHERE sorted_at IS NULL;
CREATE TABLE alerts (
    tenant text NOT NULL,
    id text COLLATE "C" NOT NULL CHECK (id LIKE 'alert\\_%'),
    source_id text COLLATE "C" NOT NULL,
    source text NOT NULL,
    key text NOT NULL CHECK (key LIKE 'sha256:%'),
    status text NOT NULL CHECK (status IN ('open', 'planned', 'unmatched', 'failed', 'resolved')),
    service text,
    plan_id text COLLATE "C",
    closed_at timestamptz,
    body jsonb NOT NULL,
    PRIMARY KEY (tenant, id),
    FOREIGN KEY (tenant, source_id) REFERENCES sources (tenant, id),
    FOREIGN KEY (tenant, plan_id) REFERENCES plans (tenant, id),
    CHECK ((status = 'resolved') = (closed_at IS NOT NULL)),
    CHECK (status <> 'planned' OR plan_id IS NOT NULL)
);
CREATE UNIQUE INDEX alerts_one_open ON alerts (tenant, source_id, key) WHERE closed_at IS NULL;
CREATE INDEX alerts_status ON alerts (tenant, status, id);
CREATE INDEX alerts_source ON alerts (tenant, source, id);
CREATE INDEX alerts_service ON alerts (tenant, service, id);
CREATE INDEX alerts_plan ON alerts (tenant, plan_id) WHERE plan_id IS NOT NULL;
"""

_OWNER_OF = """
CREATE FUNCTION owner_of_source(source text) RETURNS TABLE (tenant text, name text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public AS $$
    SELECT s.tenant, s.name FROM sources s WHERE s.id = source AND s.retired_at IS NULL
$$
"""


def upgrade() -> None:
    """Make the tables; a webhook's tenant is the one thing that is asked before the tenant is known."""
    op.execute(_TABLES)
    wall("sources", "SELECT, INSERT, UPDATE")
    wall("source_credentials", "SELECT, INSERT, UPDATE, DELETE")
    wall("webhook_deliveries", "SELECT, INSERT, UPDATE")
    wall("alerts", "SELECT, INSERT, UPDATE")
    open_to_owner("sources")
    op.execute(_OWNER_OF)
    callable_by_app("owner_of_source(text)")
