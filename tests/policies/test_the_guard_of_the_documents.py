"""The guard that docs/how-to/write-a-policy-guard.md writes works, and its tests notice when it does not."""

import re
import shutil
from pathlib import Path

from carapulse.adapters.rego.engine import RegopyEngine
from carapulse.adapters.rego.testing import run_policy_tests

ROOT = Path(__file__).parents[2]
RULE, TEST = re.findall(
    r"(?ms)^```rego\n(.*?)^```$", (ROOT / "docs" / "how-to" / "write-a-policy-guard.md").read_text()
)


def my_policies(folder, rule=RULE):
    mine = shutil.copytree(ROOT / "policies", folder / "my-policies")
    guard = mine / "guards" / "careful_agents"
    guard.mkdir()
    (guard / "careful_agents.rego").write_text(rule)
    (guard / "careful_agents_test.rego").write_text(TEST)
    return mine


def failing(folder):
    return [name for name, holds in run_policy_tests(folder, part="careful_agents").items() if not holds]


def test_the_program_takes_it_and_its_tests_hold(tmp_path):
    mine = my_policies(tmp_path)

    RegopyEngine(mine)

    assert len(run_policy_tests(mine, part="careful_agents")) == 3
    assert failing(mine) == []


def test_its_tests_notice_when_it_says_nothing(tmp_path):
    assert failing(my_policies(tmp_path, RULE.replace("deny contains", "silent contains"))) != []
