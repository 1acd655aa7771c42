"""Processes that the demo starts, and its account of them: none may be left."""

import json
import os
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final, Self

from carapulse.surfaces.demo.claims import DemoError

_PATIENCE_S: Final = 10.0
_PROC: Final = Path("/proc")


class Program:
    """A process that said on its standard output, in one line of JSON, that it is ready."""

    def __init__(self, name: str, process: subprocess.Popen[bytes], log: Path) -> None:
        self.name = name
        self.log = log
        self._process = process
        self.ready: dict[str, Any] = {}

    @classmethod
    def start(cls, name: str, command: Sequence[str], log: Path, environment: dict[str, str] | None = None) -> Self:
        """Start it, with what it complains about in a file. `ready` waits until it can be used."""
        with log.open("wb") as complaints:
            process = subprocess.Popen(  # noqa: S603 - our own words
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=complaints,
                env=environment,
                start_new_session=True,
            )
        return cls(name, process, log)

    @property
    def pid(self) -> int:
        """The process id."""
        return self._process.pid

    def await_ready(self) -> dict[str, Any]:
        """Return what it said when it was ready, or raise DemoError with what it complained about."""
        output = self._process.stdout
        line = output.readline() if output else b""
        try:
            found: dict[str, Any] = json.loads(line)
        except ValueError as error:
            self._process.wait(_PATIENCE_S)
            said = self.log.read_text(errors="replace")[-2000:]
            raise DemoError(f"{self.name} did not start (exit code {self._process.returncode}): {said}") from error
        self.ready = found
        return found

    def stop(self) -> int:
        """End it, by its process id, and return its exit code."""
        if self._process.poll() is None:
            self._process.terminate()
        try:
            self._process.wait(_PATIENCE_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                stream.close()
        return self._process.returncode


def descendants(pid: int) -> set[int]:
    """Return the processes that a process has started, and theirs, as far as this system tells."""
    parents = {each: _parent(each) for each in _pids()}
    found: set[int] = set()
    while new := {each for each, parent in parents.items() if parent in found | {pid}} - found:
        found |= new
    return found


def still_running(pids: set[int], folder: Path, grace_s: float = 3.0) -> list[str]:
    """Return what still lives of these processes, and of any that works with the folder, after a moment of grace."""
    until = time.monotonic() + grace_s
    while left := [_described(pid) for pid in sorted(pids | set(_pids())) if _is_ours(pid, pids, folder)]:
        if time.monotonic() >= until:
            return left
        time.sleep(0.1)
    return []


def _is_ours(pid: int, pids: set[int], folder: Path) -> bool:
    if pid == os.getpid() or not _lives(pid):
        return False
    return pid in pids or str(folder) in _command_line(pid)


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return _state(pid) != "Z"


def _pids() -> list[int]:
    return [int(path.name) for path in _PROC.iterdir() if path.name.isdecimal()] if _PROC.is_dir() else []


def _stat(pid: int) -> list[str]:
    """Return what stands behind the name in /proc/PID/stat: the state, the parent and more."""
    try:
        return (_PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return []


def _parent(pid: int) -> int | None:
    found = _stat(pid)
    return int(found[1]) if found else None


def _state(pid: int) -> str:
    found = _stat(pid)
    return found[0] if found else ""


def _command_line(pid: int) -> str:
    try:
        return (_PROC / str(pid) / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    except (FileNotFoundError, ProcessLookupError, PermissionError):
        return ""


def _described(pid: int) -> str:
    return f"{pid} {_command_line(pid).strip()[:120]}".strip()
