"""The context: what sources say of nodes and edges, and snapshots that share their content by digest. Kind: expand."""

from alembic import op

from carapulse.migrations.tenancy import wall

revision = "0024"
down_revision = "0020"

_TABLES = """
CREATE TABLE context_nodes (
    tenant text NOT NULL CHECK (tenant <> ''),
    id text COLLATE "C" NOT NULL CHECK (id <> ''),
    source text COLLATE "C" NOT NULL CHECK (source <> ''),
    kind text NOT NULL CHECK (kind <> ''),
    name text NOT NULL CHECK (name <> ''),
    labels jsonb NOT NULL CHECK (jsonb_typeof(labels) = 'object'),
    owner_team text,
    stated_at timestamptz NOT NULL,
    PRIMARY KEY (tenant, id, source)
);
CREATE INDEX context_nodes_kind ON context_nodes (tenant, kind, id, stated_at DESC, source);
CREATE TABLE context_edges (
    tenant text NOT NULL CHECK (tenant <> ''),
    from_id text COLLATE "C" NOT NULL,
    to_id text COLLATE "C" NOT NULL,
    relation text COLLATE "C" NOT NULL CHECK (relation <> ''),
    source text COLLATE "C" NOT NULL CHECK (source <> ''),
    labels jsonb NOT NULL CHECK (jsonb_typeof(labels) = 'object'),
    stated_at timestamptz NOT NULL,
    PRIMARY KEY (tenant, from_id, to_id, relation, source),
    CHECK (from_id <> to_id)
);
CREATE INDEX context_edges_to ON context_edges (tenant, to_id, from_id);
CREATE TABLE context_contents (
    tenant text NOT NULL CHECK (tenant <> ''),
    digest text NOT NULL CHECK (digest LIKE 'sha256:%'),
    content jsonb NOT NULL CHECK (jsonb_typeof(content -> 'nodes') = 'array'
        AND jsonb_typeof(content -> 'edges') = 'array'),
    PRIMARY KEY (tenant, digest)
);
CREATE TABLE context_snapshots (
    tenant text NOT NULL,
    id text COLLATE "C" NOT NULL CHECK (id LIKE 'snapshot\\_%'),
    digest text NOT NULL,
    source text COLLATE "C" NOT NULL CHECK (source <> ''),
    complete boolean NOT NULL,
    taken_at timestamptz NOT NULL,
    taken_by text NOT NULL CHECK (taken_by <> ''),
    node_count integer NOT NULL CHECK (node_count >= 0),
    edge_count integer NOT NULL CHECK (edge_count >= 0),
    labels jsonb NOT NULL,
    PRIMARY KEY (tenant, id),
    FOREIGN KEY (tenant, digest) REFERENCES context_contents (tenant, digest)
);
CREATE INDEX context_snapshots_source ON context_snapshots (tenant, source, id);
"""


def upgrade() -> None:
    """Make the tables; what sources say comes and goes, a snapshot stays as it was."""
    op.execute(_TABLES)
    wall("context_nodes", "SELECT, INSERT, UPDATE, DELETE")
    wall("context_edges", "SELECT, INSERT, UPDATE, DELETE")
    wall("context_contents", "SELECT, INSERT")
    wall("context_snapshots", "SELECT, INSERT")
