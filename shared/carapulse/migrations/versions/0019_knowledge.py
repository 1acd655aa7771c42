"""What is known: playbooks and runbooks in versions that never change, and memory. Kind: expand.

Names sort by their bytes, so that a prefix is a range of the index whatever language the database speaks.
"""

from alembic import op

from carapulse.migrations.tenancy import wall

revision = "0019"
down_revision = "0018"

_DOCUMENTS = """
CREATE TABLE knowledge_documents (
    tenant text NOT NULL CHECK (tenant <> ''),
    id text COLLATE "C" NOT NULL,
    kind text NOT NULL CHECK (kind IN ('playbook', 'runbook')),
    service text COLLATE "C" CHECK (service <> ''),
    name text COLLATE "C" NOT NULL CHECK (name <> ''),
    version integer NOT NULL CHECK (version > 0),
    tags text[] NOT NULL,
    digest text NOT NULL CHECK (digest LIKE 'sha256:%'),
    created_at timestamptz NOT NULL,
    created_by text NOT NULL CHECK (created_by <> ''),
    updated_at timestamptz NOT NULL,
    updated_by text NOT NULL CHECK (updated_by <> ''),
    deleted_at timestamptz,
    PRIMARY KEY (tenant, id),
    CHECK (id LIKE kind || '\\_%'),
    CHECK ((kind = 'runbook') = (service IS NOT NULL))
);
CREATE UNIQUE INDEX knowledge_documents_one_of_a_name ON knowledge_documents (tenant, kind, coalesce(service, ''), name)
    WHERE deleted_at IS NULL;
CREATE INDEX knowledge_documents_name ON knowledge_documents (tenant, kind, name, id) WHERE deleted_at IS NULL;
CREATE INDEX knowledge_documents_service ON knowledge_documents (tenant, service, name, id) WHERE deleted_at IS NULL;
CREATE TABLE knowledge_versions (
    tenant text NOT NULL,
    document_id text COLLATE "C" NOT NULL,
    version integer NOT NULL CHECK (version > 0),
    tags text[] NOT NULL,
    body text,
    spec jsonb NOT NULL CHECK (jsonb_typeof(spec) = 'object'),
    digest text NOT NULL CHECK (digest LIKE 'sha256:%'),
    created_at timestamptz NOT NULL,
    created_by text NOT NULL CHECK (created_by <> ''),
    PRIMARY KEY (tenant, document_id, version),
    FOREIGN KEY (tenant, document_id) REFERENCES knowledge_documents (tenant, id)
);
"""

_MEMORIES = """
CREATE TABLE memories (
    tenant text NOT NULL CHECK (tenant <> ''),
    id text COLLATE "C" NOT NULL CHECK (id LIKE 'memory\\_%'),
    title text COLLATE "C" NOT NULL CHECK (title <> ''),
    body text NOT NULL,
    tags text[] NOT NULL,
    metadata jsonb NOT NULL CHECK (jsonb_typeof(metadata) = 'object'),
    owner text NOT NULL CHECK (owner <> ''),
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    PRIMARY KEY (tenant, id)
);
CREATE INDEX memories_owner ON memories (tenant, owner, id);
CREATE INDEX memories_title ON memories (tenant, title, id);
"""


def upgrade() -> None:
    """Make the tables; a version can only be added, and a document only be hidden."""
    op.execute(_DOCUMENTS)
    wall("knowledge_documents", "SELECT, INSERT, UPDATE")
    wall("knowledge_versions", "SELECT, INSERT")
    op.execute(_MEMORIES)
    wall("memories", "SELECT, INSERT, UPDATE, DELETE")
