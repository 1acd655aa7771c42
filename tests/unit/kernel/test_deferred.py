"""A record's validator is built when it is first used, and threads may use it first at the same moment."""

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from carapulse.kernel.record import Record

THREADS = 8


def at_once(use):
    """Return what a use gives in each of several threads that begin it together."""
    together = threading.Barrier(THREADS)

    def wait_and_use(number):
        together.wait()
        return use(number)

    with ThreadPoolExecutor(THREADS) as threads:
        return list(threads.map(wait_and_use, range(THREADS)))


def a_tree() -> type[Any]:
    """Return a record that nobody has used, of records that nobody has used."""

    class Leaf(Record):
        number: int

    class Branch(Record):
        leaves: tuple[Leaf, ...]
        first: Leaf

    class Tree(Record):
        branches: dict[str, Branch]

    return Tree


def test_a_record_is_not_built_before_it_is_used():
    tree = a_tree()

    assert not tree.__pydantic_complete__
    tree(branches={})

    assert tree.__pydantic_complete__


@pytest.mark.parametrize("round_", range(20))
def test_a_record_may_be_used_first_by_many_threads_at_once(round_):
    tree = a_tree()
    kind = TypeAdapter(tuple[tree, ...])  # type: ignore[valid-type]

    def use(number):
        leaf = {"number": number}
        given = {"branches": {"a": {"leaves": [leaf], "first": leaf}}}
        with pytest.raises(ValidationError):
            tree.model_validate({"branches": {"a": {"leaves": [leaf], "first": leaf, "unknown": round_}}})
        found = kind.validate_python([given])[0] if number % 2 else tree.model_validate(given)
        return type(found) is tree and found.model_dump() == {
            "branches": {"a": {"leaves": (leaf,), "first": leaf}},
        }

    assert all(at_once(use))
