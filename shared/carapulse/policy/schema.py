"""The JSON Schema of the policy's input, for those who write rules: `python -m carapulse.policy.schema`."""

import json
import sys

from carapulse.policy.document import PolicyInput


def render_input_schema() -> str:
    """Return the text of `policies/schema/input.json`."""
    return json.dumps(PolicyInput.model_json_schema(mode="serialization"), indent=2, sort_keys=True) + "\n"


if __name__ == "__main__":
    sys.stdout.write(render_input_schema())
