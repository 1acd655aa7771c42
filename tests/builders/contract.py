"""The contract as it is checked in. That it is what the code says is a house test, so no other test needs to render it."""

import json
from pathlib import Path
from typing import Any

CONTRACT: dict[str, Any] = json.loads(
    (Path(__file__).parents[2] / "docs" / "reference" / "openapi.json").read_text(encoding="utf-8")
)
