"""The schema that rule writers read is the model that the program uses."""

from tests.builders.policy import POLICIES

from carapulse.policy.schema import render_input_schema


def test_the_schema_of_the_input_is_rendered_from_the_model():
    assert (POLICIES / "schema" / "input.json").read_text() == render_input_schema(), (
        "render it again: python -m carapulse.policy.schema > policies/schema/input.json"
    )
