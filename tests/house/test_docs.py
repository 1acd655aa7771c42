"""Documents say what the code does: rendered pages are equal, and what the others name is there."""

import re
from pathlib import Path

import pytest
from docs.render import render

from carapulse.settings import Settings
from carapulse.surfaces.cli.main import COMMANDS

ROOT = Path(__file__).parents[2]
PAGES = sorted([*(ROOT / "docs").rglob("*.md"), *(ROOT / "infra").rglob("*.md"), *ROOT.glob("*.md")])
TARGETS = set(re.findall(r"^([a-z0-9-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))


RENDERED = render()


def named(page):
    return str(page.relative_to(ROOT))


@pytest.mark.parametrize("name", RENDERED)
def test_a_rendered_page_is_what_the_code_says_now(name):
    assert (ROOT / "docs" / "reference" / name).read_text() == RENDERED[name], "run `make docs`"


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
    codes = re.findall(r"^\| `([a-z0-9-]+)` \|", RENDERED["errors.md"], re.MULTILINE)

    assert sorted(codes) == sorted(set(codes))
