"""What people say about runs."""

from typing import Final

from carapulse.examples import Examples

EXECUTING: Final[Examples] = {
    "Execute exactly what was judged": {
        "digest": "sha256:7c4cbc0143a5befd82e53763798070d2a64d3fddd8b262c733aa4bee26558f6b"
    },
    "Change nothing, and see what would happen": {"dry_run": True},
}
CANCELLING: Final[Examples] = {
    "Stop, and undo what was done": {"undo": True, "note": "The wrong cluster"},
    "Stop, and leave it as it is": {"undo": False},
}
PAUSING: Final[Examples] = {"Wait a moment": {"note": "The database is being moved"}}
RESUMING: Final[Examples] = {"Go on": {"note": "The database is there again"}}
RETRYING: Final[Examples] = {"What it failed of is mended": {"step_id": "scale", "note": "The quota was raised"}}
RESOLVING: Final[Examples] = {
    "It was done": {"step_id": "scale", "done": True, "note": "The deployment has 5 replicas"},
    "It was not done": {"step_id": "scale", "done": False, "note": "The deployment still has 3 replicas"},
}
UNDOING: Final[Examples] = {"It did not help": {"note": "The errors are the same as before"}}
