"""The tests beside the rules are run, all of them, and they can fail."""

import re
import shutil
from pathlib import Path

import pytest

from carapulse.adapters.rego.sources import read_sources
from carapulse.adapters.rego.testing import list_tests, run_policy_tests

POLICIES = Path(__file__).parents[2] / "policies"
GUARDS = sorted(folder.name for folder in (POLICIES / "guards").iterdir())


@pytest.fixture(scope="module")
def results():
    return run_policy_tests(POLICIES)


@pytest.mark.parametrize("name", list_tests(read_sources(POLICIES)))
def test_every_policy_test_holds(results, name):
    assert results[name]


@pytest.mark.parametrize("guard", GUARDS)
def test_every_guard_has_a_title_a_description_and_tests(guard):
    folder = POLICIES / "guards" / guard

    text = (folder / f"{guard}.rego").read_text()

    assert re.match(r"# METADATA\n# title: .+\n# description: .+\n", text)
    assert f"\npackage carapulse.guards.{guard}\n" in text
    assert len(re.findall(r"(?m)^test_", (folder / f"{guard}_test.rego").read_text())) >= 2


@pytest.mark.parametrize("guard", GUARDS)
def test_a_broken_guard_is_noticed_by_its_own_tests(guard, tmp_path):
    folder = shutil.copytree(POLICIES, tmp_path / "policies", ignore=_guards_but(guard))  # to compile all takes longer
    rule = folder / "guards" / guard / f"{guard}.rego"
    whole = run_policy_tests(folder, part=f"/{guard}/")
    rule.write_text(re.sub(r"(?m)^(deny|approvals) contains", r"silent_\1 contains", rule.read_text()))

    results = run_policy_tests(folder, part=f"/{guard}/")

    assert all(whole.values())
    assert not all(results.values())


def _guards_but(guard):
    text = (POLICIES / "guards" / guard / f"{guard}.rego").read_text()
    needed = {guard, *re.findall(r"(?m)^import data\.carapulse\.guards\.(\w+)$", text)}

    def ignored(folder, names):
        return [name for name in names if Path(folder).name == "guards" and name not in needed]

    return ignored
