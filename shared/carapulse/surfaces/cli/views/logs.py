"""Lines that tools write."""

import json

from rich.text import Text

from carapulse.surfaces.cli.errors import Unanswered
from carapulse.surfaces.cli.views.text import plain


def line_of(data: str) -> Text:
    """Return one line of a tool, with when and where it was written."""
    try:
        line = json.loads(data)
        parts = [line[name] for name in ("at", "step_id", "phase", "line")]
    except (ValueError, TypeError, KeyError) as error:
        raise Unanswered("the stream holds what is not a line of a log") from error
    at, step, phase, said = map(plain, parts)
    where = step if phase == "run" else f"{step} {phase}"
    return Text.assemble((f"{at[11:19]} ", "dim"), (f"{where:<12} ", "cyan"), said)
