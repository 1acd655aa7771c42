"""Every integration is a folder with a manifest, and each of its actions is held against its tool by a contract test."""

import ast
from pathlib import Path

import pytest

import carapulse.integrations
from carapulse.integrations import builtin_manifests
from carapulse.tools.catalogue import Catalogue

ROOT = Path(__file__).parents[2]
FOLDERS = sorted(
    each for each in Path(carapulse.integrations.__file__).parent.iterdir() if each.is_dir() and each.name[0] != "_"
)
CATALOGUE = Catalogue.load(builtin_manifests())


def texts(file):
    return {
        each.value
        for each in ast.walk(ast.parse(file.read_text()))
        if isinstance(each, ast.Constant) and isinstance(each.value, str)
    }


NAMED = [
    texts(file)
    for file in [*(ROOT / "tests" / "contracts").glob("test_*.py"), ROOT / "tests" / "builders" / "repository.py"]
]


def is_named(tool, action):
    """Return whether a contract test names the action, whole or beside its tool."""
    whole = f"{tool}.{action}"
    return any(whole in each or {tool, action} <= each for each in NAMED)


def brought_along(action):
    """Return the actions that are run with this one: what looks before, what undoes and what asks afterwards."""
    uses = [action.capture, action.undo, action.undo and action.undo.otherwise, action.probe]
    return {each.action for each in uses if each}


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_an_integration_has_a_manifest_for_the_tool_of_its_name(folder):
    assert folder / "manifest.yaml" in set(builtin_manifests())
    assert folder.name in CATALOGUE.manifests


@pytest.mark.parametrize("tool", CATALOGUE.manifests)
def test_each_action_is_held_against_its_tool(tool):
    actions = CATALOGUE.manifests[tool].actions
    held = {name for name in actions if is_named(tool, name)}

    for name in tuple(held):
        held |= brought_along(actions[name])

    assert held
    assert set(actions) - held == set()
