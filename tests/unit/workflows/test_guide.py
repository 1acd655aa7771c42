"""The guide for writing workflows shows one that works."""

import re
from pathlib import Path

import pytest
from tests.builders.application import CATALOGUE
from tests.builders.plans import NOON, a_call, a_context, a_request

from carapulse.plans.drafting import Draft, draft
from carapulse.workflows.book import Workflows

GUIDE = Path(__file__).parents[3] / "docs" / "how-to" / "write-a-workflow.md"


@pytest.mark.parametrize(("number", "steps"), [(0, ["status"]), (1, ["status", "text"])])
def test_the_recipe_in_the_guide_makes_a_plan(tmp_path, number, steps):
    (recipe,) = re.findall(r"```yaml\n(.*?)```", GUIDE.read_text(), re.DOTALL)
    path = tmp_path / "probe_service.yaml"
    path.write_text(recipe)
    workflows = Workflows.load([path])
    value = workflows.describe("probe_service").examples[number]
    request = a_request(steps=None, workflow={"name": "probe_service", "input": value})

    wanted = Draft(plan_id="plan_1", request=request, expanded=workflows.expand("probe_service", value, a_context()))
    assert [step.id for step in draft(wanted, a_call(), CATALOGUE, NOON).steps] == steps
