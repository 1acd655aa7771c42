"""The guide for writing workflows shows recipes that work."""

import re
from pathlib import Path

import pytest
from tests.builders.application import CATALOGUE
from tests.builders.plans import NOON, a_call, a_context, a_request

from carapulse.plans.drafting import Draft, draft
from carapulse.workflows.book import Workflows

GUIDE = Path(__file__).parents[3] / "docs" / "how-to" / "write-a-workflow.md"
RECIPES = re.findall(r"```yaml\n(.*?)```", GUIDE.read_text(), re.DOTALL)


@pytest.mark.parametrize(
    ("name", "number", "steps"),
    [
        ("probe_service", 0, ["status"]),
        ("probe_service", 1, ["status", "text"]),
        ("probe_services", 0, ["first-1", "again-1"]),
        ("probe_services", 1, ["first-1", "first-2", "settle", "again-1", "again-2"]),
    ],
)
def test_the_recipes_in_the_guide_make_plans(tmp_path, name, number, steps):
    paths = [tmp_path / f"{place}.yaml" for place in range(len(RECIPES))]
    for path, recipe in zip(paths, RECIPES, strict=True):
        path.write_text(recipe)
    workflows = Workflows.load(paths)
    value = workflows.describe(name).examples[number]
    request = a_request(steps=None, workflow={"name": name, "input": value})

    wanted = Draft(plan_id="plan_1", request=request, expanded=workflows.expand(name, value, a_context()))
    assert [step.id for step in draft(wanted, a_call(), CATALOGUE, NOON).steps] == steps
