"""Merge patch as RFC 7396 has it: its own examples, and what is refused."""

import pytest

from carapulse.kernel.patch import MergePatch, PatchInvalid, merged, patched
from carapulse.kernel.record import Record

EXAMPLES = [
    ({"a": "b"}, {"a": "c"}, {"a": "c"}),
    ({"a": "b"}, {"b": "c"}, {"a": "b", "b": "c"}),
    ({"a": "b"}, {"a": None}, {}),
    ({"a": "b", "b": "c"}, {"a": None}, {"b": "c"}),
    ({"a": ["b"]}, {"a": "c"}, {"a": "c"}),
    ({"a": "c"}, {"a": ["b"]}, {"a": ["b"]}),
    ({"a": {"b": "c"}}, {"a": {"b": "d", "c": None}}, {"a": {"b": "d"}}),
    ({"a": [{"b": "c"}]}, {"a": [1]}, {"a": [1]}),
    (["a", "b"], ["c", "d"], ["c", "d"]),
    ({"a": "b"}, ["c"], ["c"]),
    ({"a": "foo"}, None, None),
    ({"a": "foo"}, "bar", "bar"),
    ({"e": None}, {"a": 1}, {"e": None, "a": 1}),
    ([1, 2], {"a": "b", "c": None}, {"a": "b"}),
    ({}, {"a": {"bb": {"ccc": None}}}, {"a": {"bb": {}}}),
]


class Lamp(Record):
    name: str
    watts: int | None = None


@pytest.mark.parametrize(("target", "patch", "result"), EXAMPLES)
def test_the_examples_of_the_rfc(target, patch, result):
    assert merged(target, patch) == result


def test_null_removes_and_the_default_stands():
    assert patched(Lamp(name="one", watts=5), MergePatch.model_validate({"watts": None})) == Lamp(name="one")


@pytest.mark.parametrize(
    ("patch", "pointer", "code"),
    [
        ({"colour": "red"}, "/colour", "unknown-field"),
        ({"watts": "many"}, "/watts", "int-parsing"),
        ({"name": None}, "/name", "missing"),
    ],
)
def test_what_the_patch_would_make_is_checked(patch, pointer, code):
    with pytest.raises(PatchInvalid) as caught:
        patched(Lamp(name="one"), MergePatch.model_validate(patch))

    assert [(fault.pointer, fault.code) for fault in caught.value.faults] == [(pointer, code)]
