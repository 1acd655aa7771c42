"""The context kept in Postgres."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, RowMapping, Select, Text, cast, insert, select, text
from sqlalchemy.dialects.postgresql import insert as insert_or

from carapulse.context.errors import NodeNotFound, SnapshotNotFound
from carapulse.context.model import SERVICE, Graph, KnownEdge, KnownNode, Snapshot
from carapulse.context.ports import GraphWanted, ServiceFilter, SnapshotFilter
from carapulse.context.statements import Stated, Statements
from carapulse.context.tables import contents, edges, nodes, snapshots
from carapulse.context.views import GraphView, PlacedNode
from carapulse.kernel.cursor import Page
from carapulse.rows import read_row

_ONE_AT_A_TIME = 0x_CA2A  # first key of the advisory lock; the second is the tenant's
_LOCK = text("SELECT pg_advisory_xact_lock(:key, hashtext(:tenant))")
_MOST_SHOWN_NODES = 500
_MOST_SHOWN_EDGES = 5_000
_ADD_NODES = text(
    "INSERT INTO context_nodes (tenant, id, source, kind, name, labels, owner_team, stated_at)"
    " SELECT :tenant, id, source, kind, name, labels, owner_team, stated_at"
    " FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS row (id text, source text, kind text, name text,"
    " labels jsonb, owner_team text, stated_at timestamptz)"
    " ON CONFLICT (tenant, id, source) DO UPDATE SET kind = excluded.kind, name = excluded.name,"
    " labels = excluded.labels, owner_team = excluded.owner_team, stated_at = excluded.stated_at"
)
_ADD_EDGES = text(
    "INSERT INTO context_edges (tenant, from_id, to_id, relation, source, labels, stated_at)"
    " SELECT :tenant, from_id, to_id, relation, source, labels, stated_at"
    " FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS row (from_id text, to_id text, relation text, source text,"
    " labels jsonb, stated_at timestamptz)"
    " ON CONFLICT (tenant, from_id, to_id, relation, source) DO UPDATE SET labels = excluded.labels,"
    " stated_at = excluded.stated_at"
)
_DROP_NODES = text(
    "DELETE FROM context_nodes n USING jsonb_to_recordset(CAST(:rows AS jsonb)) AS row (id text, source text)"
    " WHERE n.tenant = :tenant AND n.id = row.id AND n.source = row.source"
)
_DROP_EDGES = text(
    "DELETE FROM context_edges e USING jsonb_to_recordset(CAST(:rows AS jsonb))"
    " AS row (from_id text, to_id text, relation text, source text)"
    " WHERE e.tenant = :tenant AND e.from_id = row.from_id AND e.to_id = row.to_id AND e.relation = row.relation"
    " AND e.source = row.source"
)
_AROUND = text("""
    WITH RECURSIVE reached (id, depth) AS (
        SELECT root COLLATE "C", 0 FROM unnest(CAST(:roots AS text[])) root
        UNION
        SELECT next.id, r.depth + 1 FROM reached r CROSS JOIN LATERAL (
            SELECT e.to_id AS id FROM context_edges e WHERE :outward AND e.tenant = :tenant AND e.from_id = r.id
            UNION ALL
            SELECT e.from_id FROM context_edges e WHERE :inward AND e.tenant = :tenant AND e.to_id = r.id
        ) next
        WHERE r.depth < :depth AND EXISTS (SELECT FROM context_nodes n WHERE n.tenant = :tenant AND n.id = next.id)
    )
    SELECT id, min(depth) AS depth FROM reached GROUP BY id ORDER BY 2, 1 LIMIT :most
""")
# The driver reads a moment as text with strptime, which would take longer than all the rest of a refresh.
_SAID_OF_NODES = [*(nodes.c[name] for name in KnownNode.model_fields), cast(nodes.c.stated_at, Text).label("moment")]
_SAID_OF_EDGES = [
    *(edges.c[name] for name in ("from_id", "to_id", "relation", "source", "labels")),
    cast(edges.c.stated_at, Text).label("moment"),
]
_SNAPSHOT = [snapshots.c[name] for name in Snapshot.model_fields]


@dataclass(frozen=True, slots=True)
class PostgresContexts:
    """The context of one tenant, within one transaction."""

    connection: Connection
    tenant: str

    def lock(self) -> None:
        """Be the only one who refreshes this tenant's context until the transaction ends."""
        self.connection.execute(_LOCK, {"key": _ONE_AT_A_TIME, "tenant": self.tenant})

    def statements(self) -> Statements:
        """Return everything that every source says."""
        said_nodes = self.connection.execute(select(*_SAID_OF_NODES).where(nodes.c.tenant == self.tenant)).mappings()
        said_edges = self.connection.execute(select(*_SAID_OF_EDGES).where(edges.c.tenant == self.tenant)).mappings()
        known_nodes = ((_node(row), datetime.fromisoformat(row["moment"])) for row in said_nodes)
        known_edges = ((_edge(row), datetime.fromisoformat(row["moment"])) for row in said_edges)
        return Statements(
            {(node.id, node.source): Stated(node, at) for node, at in known_nodes},
            {(edge.key, edge.source): Stated(edge, at) for edge, at in known_edges},
        )

    def change(self, former: Statements, after: Statements) -> None:
        """Keep what sources say from now on; `former` is what they said."""
        gone = (
            {"from_id": key[0], "to_id": key[1], "relation": key[2], "source": source}
            for key, source in (former.edges.keys() - after.edges.keys())
        )
        self._write(_DROP_EDGES, gone)
        lost = ({"id": key, "source": source} for key, source in former.nodes.keys() - after.nodes.keys())
        self._write(_DROP_NODES, lost)
        self._write(_ADD_NODES, map(_node_row, _new(former.nodes, after.nodes)))
        self._write(_ADD_EDGES, map(_edge_row, _new(former.edges, after.edges)))

    def add(self, snapshot: Snapshot, content: object) -> None:
        """Keep a snapshot with its content, which may be kept already."""
        kept = insert_or(contents).values(tenant=self.tenant, digest=snapshot.digest, content=content)
        self.connection.execute(kept.on_conflict_do_nothing())
        self.connection.execute(insert(snapshots).values(tenant=self.tenant, **dict(snapshot)))

    def services(self, wanted: ServiceFilter) -> Page[KnownNode]:
        """Return services, by id."""
        said = self._newest().where(nodes.c.kind == SERVICE)
        if wanted.cursor is not None:
            said = said.where(nodes.c.id > wanted.cursor)
        newest = said.subquery()
        query = select(newest).order_by(newest.c.id).limit(wanted.limit + 1)
        if wanted.owner_team is not None:
            query = query.where(newest.c.owner_team == wanted.owner_team)
        for label in wanted.label:
            key, equals, value = label.partition("=")
            query = query.where(newest.c.labels.contains({key: value}) if equals else newest.c.labels.has_key(key))
        found = [_node(row) for row in self.connection.execute(query).mappings()]
        return wanted.cut(found, lambda last: last.id)

    def node(self, node_id: str) -> KnownNode:
        """Return one node, or raise NodeNotFound."""
        found = self._nodes([node_id])
        if not found:
            raise NodeNotFound("no such node", node_id=node_id)
        return found[node_id]

    def roots(self, name_or_id: str) -> Sequence[str]:
        """Return the id, if a node has it; else those of the services of that name."""
        if self._nodes([name_or_id]):
            return [name_or_id]
        newest = self._newest().where(nodes.c.kind == SERVICE).subquery()
        query = select(newest.c.id).where(newest.c.name == name_or_id).order_by(newest.c.id)
        return self.connection.execute(query.limit(_MOST_SHOWN_NODES)).scalars().all()

    def around(self, roots: Sequence[str], wanted: GraphWanted) -> GraphView:
        """Return what lies around these nodes, the nearest first."""
        asked = {
            "tenant": self.tenant,
            "roots": list(roots),
            "depth": wanted.depth,
            "outward": wanted.direction != "in",
            "inward": wanted.direction != "out",
            "most": _MOST_SHOWN_NODES + 1,
        }
        reached = {row.id: row.depth for row in self.connection.execute(_AROUND, asked)}
        shown = list(reached)[:_MOST_SHOWN_NODES]
        found = self._nodes(shown)
        between = self._between(shown)
        return GraphView(
            roots=tuple(roots),
            depth=wanted.depth,
            direction=wanted.direction,
            nodes=tuple(PlacedNode(**dict(found[each]), depth=reached[each]) for each in shown),
            edges=between[:_MOST_SHOWN_EDGES],
            truncated=len(reached) > len(shown) or len(between) > _MOST_SHOWN_EDGES,
        )

    def snapshots(self, wanted: SnapshotFilter) -> Page[Snapshot]:
        """Return snapshots, the newest first."""
        query = select(*_SNAPSHOT).where(snapshots.c.tenant == self.tenant).order_by(snapshots.c.id.desc())
        if wanted.source is not None:
            query = query.where(snapshots.c.source == wanted.source)
        if wanted.cursor is not None:
            query = query.where(snapshots.c.id < wanted.cursor)
        found = [_snapshot(row) for row in self.connection.execute(query.limit(wanted.limit + 1)).mappings()]
        return wanted.cut(found, lambda last: last.id)

    def snapshot(self, snapshot_id: str) -> tuple[Snapshot, Graph]:
        """Return one snapshot and what there was, or raise SnapshotNotFound."""
        kept = (contents.c.tenant == snapshots.c.tenant) & (contents.c.digest == snapshots.c.digest)
        query = select(*_SNAPSHOT, contents.c.content).join(contents, kept)
        query = query.where(snapshots.c.tenant == self.tenant, snapshots.c.id == snapshot_id)
        row = self.connection.execute(query).mappings().one_or_none()
        if row is None:
            raise SnapshotNotFound("no such snapshot", snapshot_id=snapshot_id)
        return _snapshot(row), _graph(row["content"], snapshot_id)

    def _newest(self) -> Select[Any]:
        """Return the statement that says what is believed of each node: what was said last."""
        order = (nodes.c.id, nodes.c.stated_at.desc(), nodes.c.source)
        return select(nodes).distinct(nodes.c.id).where(nodes.c.tenant == self.tenant).order_by(*order)

    def _nodes(self, ids: Sequence[str]) -> dict[str, KnownNode]:
        rows = self.connection.execute(self._newest().where(nodes.c.id.in_(ids))).mappings()
        return {row["id"]: _node(row) for row in rows}

    def _between(self, ids: Sequence[str]) -> tuple[KnownEdge, ...]:
        key = (edges.c.from_id, edges.c.to_id, edges.c.relation)
        query = select(edges).distinct(*key).order_by(*key, edges.c.stated_at.desc(), edges.c.source)
        query = query.where(edges.c.tenant == self.tenant, edges.c.from_id.in_(ids), edges.c.to_id.in_(ids))
        rows = self.connection.execute(query.limit(_MOST_SHOWN_EDGES + 1)).mappings()
        return tuple(_edge(row) for row in rows)

    def _write(self, statement: Any, rows: Iterable[dict[str, Any]]) -> None:  # noqa: ANN401 - a text clause
        if found := list(rows):
            self.connection.execute(statement, {"tenant": self.tenant, "rows": json.dumps(found)})


def _new(former: Mapping[Any, Stated[Any]], after: Mapping[Any, Stated[Any]]) -> Iterable[Stated[Any]]:
    return (said for key, said in after.items() if former.get(key) != said)


def _node_row(said: Stated[KnownNode]) -> dict[str, Any]:
    return {**said.value.model_dump(mode="json"), "stated_at": said.at.isoformat()}


def _edge_row(said: Stated[KnownEdge]) -> dict[str, Any]:
    edge = said.value
    ends = {"from_id": edge.from_, "to_id": edge.to, "relation": edge.relation}
    return {**ends, "source": edge.source, "labels": edge.labels, "stated_at": said.at.isoformat()}


def _node(row: RowMapping) -> KnownNode:
    facts = {name: row[name] for name in KnownNode.model_fields}
    return read_row(KnownNode, facts, table="context_nodes", row_id=f"{row['source']}/{row['id']}")


def _edge(row: RowMapping) -> KnownEdge:
    facts = {name: row[name] for name in ("relation", "source", "labels")}
    ends = {"from": row["from_id"], "to": row["to_id"]}
    return read_row(KnownEdge, {**facts, **ends}, table="context_edges", row_id=f"{row['from_id']} {row['to_id']}")


def _snapshot(row: RowMapping) -> Snapshot:
    facts = {name: row[name] for name in Snapshot.model_fields}
    return read_row(Snapshot, facts, table="context_snapshots", row_id=row["id"])


def _graph(content: Any, snapshot_id: str) -> Graph:  # noqa: ANN401 - any JSON value
    table = {"table": "context_contents", "row_id": snapshot_id}
    found_nodes = [read_row(KnownNode, each, **table) for each in content["nodes"]]
    found_edges = [read_row(KnownEdge, each, **table) for each in content["edges"]]
    return Graph({node.id: node for node in found_nodes}, {edge.key: edge for edge in found_edges})
