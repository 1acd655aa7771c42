"""Programs as processes that begin in milliseconds, because what they import is in memory already."""

import atexit
import json
import os
import select
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import IO

ROOT = Path(__file__).parents[2]
_PIPE = subprocess.PIPE


class Warm:
    """A program; what it offers is what `subprocess.Popen` does."""

    def __init__(self, asking: socket.socket, stdout: IO[str] | None) -> None:
        self._asking = asking
        self._told = asking.makefile("r")
        self.stdout = stdout
        self.returncode: int | None = None
        self.pid = int(self._told.readline())

    def poll(self) -> int | None:
        """Return the exit code, or None while it runs."""
        if self.returncode is None and select.select([self._asking], [], [], 0)[0]:
            self._end()
        return self.returncode

    def wait(self, timeout: float) -> int:
        """Return the exit code once it has ended, or raise TimeoutExpired."""
        if self.returncode is None:
            if not select.select([self._asking], [], [], timeout)[0]:
                raise subprocess.TimeoutExpired(str(self.pid), timeout)
            self._end()
        assert self.returncode is not None
        return self.returncode

    def send_signal(self, number: int) -> None:
        """Send a signal, if it still runs."""
        if self.poll() is None:
            os.kill(self.pid, number)

    def terminate(self) -> None:
        """Ask it to end."""
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """End it."""
        self.send_signal(signal.SIGKILL)

    def _end(self) -> None:
        self.returncode = int(self._told.readline())
        self._told.close()
        self._asking.close()


def started(
    arguments: Sequence[str],
    environment: Mapping[str, str],
    stdout: int | IO[bytes] | None = None,
    stderr: int | IO[bytes] | None = None,
) -> Warm:
    """Start a module, as `python -m` does, or a file; its output goes where ours does if nothing is said."""
    reading, writing = os.pipe() if stdout is _PIPE else (None, _number(stdout, 1))
    asking = socket.socket(socket.AF_UNIX)
    asking.connect(_zygote())
    said = {"arguments": list(arguments), "environment": dict(environment), "folder": str(ROOT)}
    socket.send_fds(asking, [json.dumps(said).encode()], [writing, _number(stderr, 2)])
    if reading is None:
        return Warm(asking, None)
    os.close(writing)
    return Warm(asking, os.fdopen(reading))


def _number(output: int | IO[bytes] | None, own: int) -> int:
    return own if output is None else output if isinstance(output, int) else output.fileno()


@cache
def _zygote() -> str:
    """Start the process that is forked into programs, and return where it listens."""
    folder = tempfile.TemporaryDirectory(prefix="carapulse-zygote-")
    address = str(Path(folder.name) / "socket")
    command = [sys.executable, "-m", "tests.world.zygote", address]
    given = {**os.environ, "PYTHONPATH": os.pathsep.join((str(ROOT / "shared"), str(ROOT)))}
    process = subprocess.Popen(
        command, cwd=ROOT, env=given, stdin=_PIPE, stdout=_PIPE, text=True, stderr=subprocess.DEVNULL
    )
    assert process.stdin is not None
    assert process.stdout is not None
    assert process.stdout.readline() == "warm\n"

    def end() -> None:
        for each in (process.stdin, process.stdout):
            if each is not None:
                each.close()
        process.wait(10)
        folder.cleanup()

    atexit.register(end)
    return address


def ended(process: Warm, seconds: float) -> None:
    """Let a program end, or end it."""
    process.terminate()
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait(seconds)
