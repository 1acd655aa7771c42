"""Says what in a new OpenAPI document breaks clients that were written for the old one; of schemas, for any document.

Clients are held to one thing: to bear members of answers, and values of enumerations in answers, that they don't know.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

Document = Mapping[str, Any]
Direction = Literal["sent", "answered"]
METHODS = ("get", "put", "post", "delete", "patch")


def breaking_changes(old: Document, new: Document) -> list[str]:
    """Return, in words, what would break, sorted; nothing for a document that only grew."""
    return sorted(set(_broken(old, new)))


def _broken(old: Document, new: Document) -> Iterator[str]:
    for path, methods in old["paths"].items():
        for method in METHODS:
            if method in methods:
                name = f"{method.upper()} {path}"
                after = new["paths"].get(path, {}).get(method)
                if after is None:
                    yield f"{name} is gone"
                else:
                    yield from _operation(name, Pair(old, methods[method]), Pair(new, after))


@dataclass(frozen=True, slots=True)
class Pair:
    """A part of a document, and the document that its references are in."""

    document: Document
    node: Any

    def at(self, *keys: str) -> "Pair":
        """Return what is under these keys, an empty mapping if nothing is."""
        node = self.node
        for key in keys:
            node = node.get(key, {}) if isinstance(node, Mapping) else {}
        return Pair(self.document, node).followed()

    def followed(self) -> "Pair":
        """Return what this refers to, if it is a reference."""
        node = self.node
        while isinstance(node, Mapping) and "$ref" in node:
            found: Any = self.document
            for key in node["$ref"].removeprefix("#/").split("/"):
                found = found[key]
            node = found
        return Pair(self.document, node)


def _operation(name: str, old: Pair, new: Pair) -> Iterator[str]:
    yield from _parameters(name, old, new)
    yield from _body(name, old, new)
    for status, answer in old.node.get("responses", {}).items():
        if status not in new.node.get("responses", {}):
            yield f"{name} answers no {status} any more"
            continue
        for media_type in answer.get("content", {}):
            where = ("responses", status, "content", media_type)
            if media_type not in new.at("responses", status, "content").node:
                yield f"{name} answers {status} not as {media_type} any more"
            else:
                yield from schema_changes(
                    f"{name} {status}", old.at(*where, "schema"), new.at(*where, "schema"), "answered"
                )


def _parameters(name: str, old: Pair, new: Pair) -> Iterator[str]:
    before, after = (
        {(each["in"], each["name"]): each for each in pair.node.get("parameters", [])} for pair in (old, new)
    )
    for key in before.keys() - after.keys():
        yield f"{name} takes no {key[0]} parameter {key[1]} any more"
    for key, parameter in after.items():
        if parameter.get("required") and not before.get(key, {}).get("required"):
            yield f"{name} needs the {key[0]} parameter {key[1]} now"
    for key in before.keys() & after.keys():
        schemas = Pair(old.document, before[key]).at("schema"), Pair(new.document, after[key]).at("schema")
        yield from schema_changes(f"{name} {key[1]}", *schemas, "sent")


def _body(name: str, old: Pair, new: Pair) -> Iterator[str]:
    before, after = old.at("requestBody"), new.at("requestBody")
    if after.node.get("required") and not before.node.get("required"):
        yield f"{name} needs a body now"
    for media_type in before.at("content").node:
        if media_type not in after.at("content").node:
            yield f"{name} takes no {media_type} any more"
        else:
            where = ("content", media_type, "schema")
            yield from schema_changes(name, before.at(*where), after.at(*where), "sent")


def schema_changes(name: str, old: Pair, new: Pair, direction: Direction, above: tuple[int, ...] = ()) -> Iterator[str]:
    """Yield what a new schema breaks of an old one, for what clients send or for what they are answered."""
    if id(old.node) in above or not isinstance(old.node, Mapping) or not isinstance(new.node, Mapping):
        return
    above = (*above, id(old.node))
    yield from _types(name, old.node, new.node, direction)
    yield from _members(name, old, new, direction, above)
    if "items" in old.node and "items" in new.node:
        yield from schema_changes(f"{name}/*", old.at("items"), new.at("items"), direction, above)
    for kind in ("anyOf", "oneOf", "allOf"):
        before, after = old.node.get(kind, []), new.node.get(kind, [])
        lost = before[len(after) :] if direction == "sent" else after[len(before) :]
        if lost and before and after:
            yield f"{name} has other variants than before"
        for one, other in zip(before, after, strict=False):
            pair = Pair(old.document, one).followed(), Pair(new.document, other).followed()
            yield from schema_changes(name, *pair, direction, above)


def _types(name: str, old: Mapping[str, Any], new: Mapping[str, Any], direction: Direction) -> Iterator[str]:
    before, after = _kinds(old), _kinds(new)
    if before and after and (before - after if direction == "sent" else after - before):
        yield f"{name} is {'/'.join(sorted(after))}, not {'/'.join(sorted(before))}"
    yield from _values(name, old, new, direction)
    if direction == "sent":
        for limit, is_less in (("maxLength", True), ("maximum", True), ("minLength", False), ("minimum", False)):
            if limit in new and (
                limit not in old or ((new[limit] < old[limit]) is is_less and new[limit] != old[limit])
            ):
                yield f"{name} has a narrower {limit}"


def _values(name: str, old: Mapping[str, Any], new: Mapping[str, Any], direction: Direction) -> Iterator[str]:
    if "const" in old and "const" in new and old["const"] != new["const"]:
        yield f"{name} is {new['const']}, not {old['const']}"
    if direction == "sent" and "enum" in new and (gone := set(old.get("enum", ())) - set(new["enum"])):
        yield f"{name} may not be {', '.join(map(str, sorted(gone)))} any more"


def _kinds(schema: Mapping[str, Any]) -> frozenset[str]:
    kind = schema.get("type", ())
    return frozenset([kind] if isinstance(kind, str) else kind)


def _members(name: str, old: Pair, new: Pair, direction: Direction, above: tuple[int, ...]) -> Iterator[str]:
    before, after = old.node.get("properties", {}), new.node.get("properties", {})
    if not before and "properties" not in new.node:
        return
    for member in before:
        if member not in after:
            yield f"{name}/{member} is gone"
        else:
            pair = old.at("properties", member), new.at("properties", member)
            yield from schema_changes(f"{name}/{member}", *pair, direction, above)
    required, needed = set(old.node.get("required", ())), set(new.node.get("required", ()))
    if direction == "sent":
        yield from (f"{name}/{member} is needed now" for member in needed - required)
    else:
        yield from (f"{name}/{member} may be absent now" for member in (required - needed) & after.keys())
