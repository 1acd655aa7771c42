"""One git job: `python -m carapulse.integrations.git ACTION JOB_FILE`. Writes one JSON document."""

import json
import sys
from collections.abc import Callable
from pathlib import Path

from carapulse.integrations.git import files, workspace
from carapulse.integrations.git.commands import Stop, write_configuration
from carapulse.integrations.git.remote import Job

ACTIONS: dict[str, Callable[[Job, Path], Job]] = {
    "head": files.head,
    "read_file": files.read_file,
    "commit_file": files.commit_file,
    "restore_file": files.restore_file,
    "restore_tree": files.restore_tree,
    "clone": workspace.clone,
    "branch": workspace.branch,
    "add": workspace.add,
    "commit": workspace.commit,
    "push": workspace.push,
    "status": workspace.status,
    "checkout": workspace.checkout,
    "merge": workspace.merge,
    "fetch": workspace.fetch,
}


def main(arguments: list[str]) -> int:
    """Do the job in the current folder, which is new and its own."""
    action, file = arguments
    scratch = Path.cwd()
    write_configuration(scratch)
    try:
        done = ACTIONS[action](json.loads((scratch / file).read_text(encoding="utf-8")), scratch)
    except Stop as stop:
        sys.stderr.write(f"{stop}\n")
        return stop.code
    sys.stdout.write(json.dumps(done))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
