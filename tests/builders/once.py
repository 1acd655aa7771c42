"""Something that takes long, done once in a run of the suite, whichever of its processes needs it first."""

import fcntl
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest


def once(folders: pytest.TempPathFactory, name: str, make: Callable[[Path], Any]) -> Any:
    """Return what was made, as JSON knows it; whoever makes it is given a folder that stays until the run is over."""
    own = folders.getbasetemp()
    shared = own.parent if "PYTEST_XDIST_WORKER" in os.environ else own
    kept = shared / f"{name}.json"
    with (shared / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # released with the file, however its holder ends
        if not kept.exists():
            folder = shared / name
            folder.mkdir(exist_ok=True)
            kept.write_text(json.dumps(make(folder)))
    return json.loads(kept.read_text())
