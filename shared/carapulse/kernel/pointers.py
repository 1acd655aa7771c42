"""JSON pointers (RFC 6901): where in a document something is."""

from collections.abc import Iterable


def pointer_of(path: Iterable[int | str]) -> str:
    """Return the pointer to what a path of names and numbers leads to; the empty path is the whole document."""
    return "".join(f"/{escaped(str(part))}" for part in path)


def escaped(name: str) -> str:
    """Return a name as one reference token."""
    return name.replace("~", "~0").replace("/", "~1")
