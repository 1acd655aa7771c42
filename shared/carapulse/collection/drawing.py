"""From what a system answered to the nodes and edges that a collector reports. Pure, and whole or not at all."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple
from urllib.parse import quote

from pydantic import TypeAdapter, ValidationError

from carapulse.collection.definition import Belonging, Definition, EdgeRule, NodeRule, Rule
from carapulse.collection.errors import AnswerUnusable, CollectionTooLarge
from carapulse.context.model import MOST_EDGES, MOST_NODES, Edge, EdgeKey, LabelKey, LabelValue, Node
from carapulse.rows import faults_in
from carapulse.tools.expressions import look_up

Json = Any
Said = Mapping[str, Json]
_MOST_LABELS = 50
_SAFE = ":@._-+~"
_LABEL: TypeAdapter[dict[str, str]] = TypeAdapter(dict[LabelKey, LabelValue])


class Picture(NamedTuple):
    """Everything that a system has, as its collector sees it."""

    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]


def draw(definition: Definition, known: Said, answers: Mapping[str, list[Json]]) -> Picture:
    """Return what there is; AnswerUnusable if an answer does not say what a rule needs.

    `known` are the names `input`, `context` and `place`.
    """
    drawer = _Drawer(known, {**known, **answers})
    nodes: dict[str, Node] = {}
    for number, rule in enumerate(definition.nodes):
        for node in drawer.nodes(rule, f"node rule {number}"):
            nodes[node.id] = _merged(nodes.get(node.id), node)
            _must_fit(len(nodes), MOST_NODES, "nodes")
    edges: dict[EdgeKey, Edge] = {}
    for number, edge_rule in enumerate(definition.edges):
        for edge in drawer.edges(edge_rule, f"edge rule {number}"):
            edges[edge.key] = edge
            _must_fit(len(edges), MOST_EDGES, "edges")
    return Picture(tuple(nodes.values()), tuple(edges.values()))


def selects(selector: Json, labels: Json) -> bool:
    """Say whether a service's selector finds something with these labels. An empty one finds nothing."""
    if not (isinstance(selector, dict) and isinstance(labels, dict) and selector):
        return False
    return selector.items() <= labels.items()


@dataclass(frozen=True, slots=True)
class _Drawer:
    known: Said
    scope: Said

    def nodes(self, rule: NodeRule, where: str) -> Iterator[Node]:
        """Yield the node of each item."""
        for said in self._scopes(rule, where):
            own = {name: _text(look_up(found, said)) for name, found in rule.labels.items()}
            more = look_up(rule.more_labels, said) if rule.more_labels else None
            labels = _labels({name: text for name, text in own.items() if text is not None}, more)
            name = _text(look_up(rule.name, said))
            try:
                yield Node.model_validate(
                    {"id": _id(rule.id, said, where), "kind": rule.kind, "name": name, "labels": labels}
                )
            except ValidationError as error:
                raise AnswerUnusable(f"{where}: {faults_in(error)}") from error

    def edges(self, rule: EdgeRule, where: str) -> Iterator[Edge]:
        """Yield the edges of each item."""
        for said in self._scopes(rule, where):
            from_, to = _id(rule.from_, said, where), _id(rule.to, said, where)
            try:
                yield Edge(from_=from_, to=to, relation=rule.relation)
            except ValidationError as error:
                raise AnswerUnusable(f"{where}: {faults_in(error)}") from error

    def _scopes(self, rule: Rule, where: str) -> Iterator[Said]:
        """Yield what the expressions of a rule see: each item, with each other that belongs to it."""
        others = None if rule.other is None else self._others(rule.other, where)
        for item in self._items(rule.of, where):
            said = {**self.known, "item": item}
            if rule.other is None or others is None:
                yield said
            else:
                yield from _pairs(rule.other, said, others)

    def _items(self, of: str, where: str) -> list[Json]:
        found = look_up(of, self.scope)
        if not isinstance(found, list):
            raise AnswerUnusable(f"{where}: what it is made of is no list")
        return found

    def _others(self, belonging: Belonging, where: str) -> "_Others":
        found = defaultdict(list)
        for other in self._items(belonging.of, where):
            said = {**self.known, "other": other}
            key = _text(look_up(belonging.same[1], said))
            if key is not None:
                found[key].append((other, None if belonging.selects is None else look_up(belonging.selects[1], said)))
        return found


_Others = Mapping[str, list[tuple[Json, Json]]]
"""What may belong to an item, with its labels, by what the two have the same."""


def _pairs(belonging: Belonging, said: Said, others: _Others) -> Iterator[Said]:
    """Yield an item with each other that belongs to it."""
    key = _text(look_up(belonging.same[0], said))
    if key is None:
        return
    # Each expression is asked once for an item, not for a pair: of those there may be millions.
    own = None if belonging.selects is None else look_up(belonging.selects[0], said)
    for other, theirs in others.get(key, ()):
        if belonging.selects is None or selects(own, theirs):
            yield {**said, "other": other}


def _id(parts: Iterable[str], said: Said, where: str) -> str:
    texts = [_text(look_up(part, said)) for part in parts]
    if not all(texts):
        raise AnswerUnusable(f"{where}: a part of an id is not there")
    return "/".join(quote(text or "", safe=_SAFE) for text in texts)


def _text(value: Json) -> str | None:
    """Return a value as the text of a label or of a part of an id; None for what has no such text."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, str | int) else None


def _labels(own: dict[str, str], more: Json) -> dict[str, str]:
    """Return our own labels and, as far as the context can hold them, the item's."""
    labels = dict(own)
    for name, value in sorted(more.items()) if isinstance(more, dict) else ():
        if name not in labels and len(labels) < _MOST_LABELS and _is_label(name, value):
            labels[name] = value
    return labels


def _is_label(name: str, value: Json) -> bool:
    try:
        _LABEL.validate_python({name: value}, strict=True)
    except ValidationError:
        return False
    return True


def _merged(former: Node | None, node: Node) -> Node:
    """Return one node of two that are the same, with the labels on which both agree."""
    if former is None:
        return node
    if (former.kind, former.name) != (node.kind, node.name):
        raise AnswerUnusable(f"{node.id} is said to be two things", node_id=node.id)
    return node.model_copy(update={"labels": dict(former.labels.items() & node.labels.items())})


def _must_fit(count: int, most: int, what: str) -> None:
    if count > most:
        raise CollectionTooLarge(f"the system has more than {most} {what}")
