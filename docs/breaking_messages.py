"""Says what in a new AsyncAPI document breaks whoever follows or sends what the old one describes."""

from collections.abc import Iterator

from docs.breaking import Direction, Document, Pair, schema_changes


def breaking_messages(old: Document, new: Document) -> list[str]:
    """Return, in words, what would break, sorted; nothing for a document that only grew."""
    return sorted(set(_broken(old, new)))


def _broken(old: Document, new: Document) -> Iterator[str]:
    for name, operation in old["operations"].items():
        if name not in new["operations"]:
            yield f"{name} is gone"
            continue
        before, after = Pair(old, operation), Pair(new, new["operations"][name])
        address, moved = (pair.at("channel").node.get("address") for pair in (before, after))
        if address != moved:
            yield f"{name} is at {moved}, not {address}"
        # What is sent to clients is an answer to them.
        yield from _messages(name, before, after, "answered" if operation["action"] == "send" else "sent")


def _messages(name: str, old: Pair, new: Pair, direction: Direction) -> Iterator[str]:
    after = dict(_named(new))
    for message, before in _named(old):
        if message not in after:
            yield f"{name} has no {message} any more"
            continue
        for part in ("headers", "payload"):
            yield from schema_changes(f"{name} {message}", before.at(part), after[message].at(part), direction)


def _named(operation: Pair) -> Iterator[tuple[str, Pair]]:
    """Yield the messages of an operation, by the name that their channel knows them by."""
    for each in operation.node["messages"]:
        message = Pair(operation.document, each).followed()
        yield each["$ref"].rpartition("/")[2], message
