"""The tutorial is true: its commands are run as they stand, and what it promises is seen."""

import os
import re
import signal
import socket
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
BLOCKS = re.findall(r"(?ms)^```sh\n(.*?)^```$", (ROOT / "docs" / "tutorial.md").read_text())


def a_free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return str(probe.getsockname()[1])


def followed(folder):
    """Type every command of the tutorial into one shell, and return what is seen."""
    first, *others = BLOCKS
    script = folder / "typed.sh"
    script.write_text("\n".join(["set -e", f"cd '{ROOT}'", first, f"cd '{folder}'", *others]))
    port = a_free_port()
    given = {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "CARAPULSE_PORT": port,
        "CARAPULSE_URL": f"http://127.0.0.1:{port}",
        "COLUMNS": "150",
    }
    with subprocess.Popen(
        ["bash", str(script)],
        cwd=folder,
        env=given,
        text=True,
        stdout=-1,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    ) as shell:
        try:
            said, _ = shell.communicate(timeout=110)
        finally:
            if shell.returncode != 0:
                os.killpg(shell.pid, signal.SIGKILL)
    return shell.returncode, said


@pytest.mark.slow
def test_the_tutorial_is_true(data_dir):
    code, said = followed(data_dir)

    assert code == 0, said
    assert re.findall(r"exit code (\d)", said) == ["1", "1", "1", "6"]
    for promised in ("awaiting_approval", "execution: succeeded", "OK: plan", "WRONG: changed at event", "rolled_back"):
        assert promised in said
    assert re.findall(r"(?m)^1\.\d$", said) == ["1.1", "1.1"]
    assert "Undo the change to a file" in said
