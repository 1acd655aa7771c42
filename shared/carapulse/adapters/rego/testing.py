"""Runs the tests that stand beside the rules. A failing test is undefined, so every name is asked for its answer."""

import re
from pathlib import Path

from carapulse.adapters.rego.interpreter import CompiledRules
from carapulse.adapters.rego.sources import Sources, read_sources
from carapulse.kernel.errors import Problem
from carapulse.policy.errors import UnsoundPolicy

_PACKAGE = re.compile(r"^package\s+(\S+)", re.MULTILINE)
_TEST = re.compile(r"^(test_\w+)", re.MULTILINE)


def run_policy_tests(folder: Path, *, part: str = "") -> dict[str, bool]:
    """Run every `test_` rule of every `*_test.rego` in a folder, or of those whose name has a part; say which hold."""
    sources = read_sources(folder)
    names = [name for name in list_tests(sources) if part in name]
    rules = CompiledRules(sources.modules | sources.tests, sources.data, names)
    return {name: _holds(rules, name) for name in names}


def list_tests(sources: Sources) -> tuple[str, ...]:
    """Return the entry points of all tests. A name that stands twice would hide a failure, so it is refused."""
    names = [f"{_package(text)}/{name}" for text in sources.tests.values() for name in _TEST.findall(text)]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise UnsoundPolicy("a test stands twice", tests=twice)
    return tuple(names)


def _package(text: str) -> str:
    found = _PACKAGE.search(text)
    if found is None:
        raise UnsoundPolicy("a test file has no package")
    return found[1].replace(".", "/")


def _holds(rules: CompiledRules, name: str) -> bool:
    try:
        return rules.ask(name, {}) is True
    except Problem:
        return False
