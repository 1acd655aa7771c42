"""Documents say what the code does: rendered pages are equal, and what the others name is there."""

import re
from pathlib import Path

import pytest
from docs.render import render
from tests.builders.once import once

from carapulse.settings import Settings
from carapulse.surfaces.cli.main import COMMANDS

ROOT = Path(__file__).parents[2]
PAGES = sorted([*(ROOT / "docs").rglob("*.md"), *(ROOT / "infra").rglob("*.md"), *ROOT.glob("*.md")])
TARGETS = set(re.findall(r"^([a-z0-9-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))


REFERENCE = ROOT / "docs" / "reference"
BY_HAND = {"README.md", "evidence-format.md"}


@pytest.fixture(scope="module")
def rendered(tmp_path_factory):
    """Render all pages, which takes seconds, for whichever process asks first."""
    return once(tmp_path_factory, "rendered", lambda _folder: render())


def named(page):
    return str(page.relative_to(ROOT))


def test_every_page_is_rendered_or_known_to_be_written_by_hand(rendered):
    pages = {str(page.relative_to(REFERENCE)) for page in REFERENCE.rglob("*") if page.is_file()}

    assert pages == rendered.keys() | BY_HAND, "run `make docs`"


@pytest.mark.parametrize("name", sorted(page.name for page in REFERENCE.iterdir() if page.name not in BY_HAND))
def test_a_rendered_page_is_what_the_code_says_now(name, rendered):
    assert (REFERENCE / name).read_text() == rendered[name], "run `make docs`"


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_links_inside_the_repository_lead_somewhere(page):
    links = re.findall(r"\]\(([^)#:\s]+)(?:#[^)]*)?\)", page.read_text())

    assert not [link for link in links if not (page.parent / link).exists()]


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_settings_that_a_page_names_exist(page):
    known = {f"CARAPULSE_{name.upper()}" for name in Settings.model_fields}

    assert set(re.findall(r"\bCARAPULSE_[A-Z_]+[A-Z]\b", page.read_text())) <= known


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_commands_that_a_page_names_exist(page):
    called = re.findall(r"(?m)(?:^|`|\$ |bin/)carapulse ([a-z]+)", page.read_text())

    assert set(called) <= set(COMMANDS)


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_make_targets_that_a_page_names_exist(page):
    assert set(re.findall(r"(?m)(?:^|`)make ([a-z0-9-]+)", page.read_text())) <= TARGETS


def test_every_error_code_means_one_thing():
    codes = re.findall(r"^\| `([a-z0-9-]+)` \|", (REFERENCE / "errors.md").read_text(), re.MULTILINE)

    assert sorted(codes) == sorted(set(codes))
