"""Runs programs for tools: no shell, nothing inherited, limits on everything, nothing left behind."""

import json
import os
import selectors
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import carapulse
from carapulse.adapters.processes.reading import Stream
from carapulse.tools.errors import ToolUnavailable
from carapulse.tools.ports import Command, Ended, EndedBy

_PACKAGES = Path(carapulse.__file__).parents[1]
_SUPERVISOR = Path(__file__).with_name("supervise.py")
_SYSTEM = ("/usr/local/bin", "/usr/bin", "/bin")
_TICK_S = 0.05
_PATIENCE_S = 6.0  # the supervisor gives a program 2 seconds to end, then makes it
_CHUNK = 65_536


def closed_path(search_path: tuple[str, ...]) -> str:
    """Return where programs are looked for: the connection's folders, this Python's own, the system's. No other."""
    return os.pathsep.join([*search_path, str(Path(sys.executable).parent), *_SYSTEM])


@dataclass(frozen=True, slots=True)
class SupervisedPrograms:
    """Programs run as processes of this machine."""

    scratch: Path | None = None

    def run(
        self, command: Command, *, on_line: Callable[[str], None], cancelled: threading.Event, deadline_s: float
    ) -> Ended:
        """Run to the end, the deadline or the cancel, or raise ToolUnavailable if it can't be started."""
        program = _found(command)
        with tempfile.TemporaryDirectory(prefix="carapulse-", dir=self.scratch) as folder:
            _lay_out(command.files, Path(folder))
            with _started(program, command, folder) as (supervisor, report):
                return _Run(command, supervisor, report, on_line).watched(cancelled, deadline_s)


def _found(command: Command) -> str:
    if command.program == "python":
        return sys.executable
    program = shutil.which(command.program, path=closed_path(command.search_path))
    if program is None:
        raise ToolUnavailable("the program is not installed", program=command.program)
    return program


def _lay_out(files: dict[str, str], folder: Path) -> None:
    for name, text in files.items():
        handle = os.open(folder / name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)


@contextmanager
def _started(program: str, command: Command, folder: str) -> Iterator[tuple["subprocess.Popen[bytes]", int]]:
    """Start the supervisor, and leave neither it nor a pipe behind."""
    report, writing = os.pipe()
    limits = json.dumps(command.limits.model_dump())
    supervision = [sys.executable, "-I", "-S", str(_SUPERVISOR), str(writing), limits]
    environment = {**_minimal(command, folder), **command.environment}
    try:
        with subprocess.Popen(  # noqa: S603 - no shell, and arguments are values
            [*supervision, program, *command.arguments],
            cwd=folder,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
            pass_fds=(writing,),
        ) as supervisor:
            os.close(writing)
            try:
                yield supervisor, report
            finally:
                _end(supervisor)
    except OSError as error:
        raise ToolUnavailable("the program can't be started", program=command.program) from error
    finally:
        os.close(report)


def _minimal(command: Command, folder: str) -> dict[str, str]:
    """Return the environment that every program gets. Our own Python programs also find this very package."""
    ours = {"PYTHONPATH": str(_PACKAGES)} if command.program == "python" else {}
    return {"PATH": closed_path(command.search_path), "HOME": folder, "TMPDIR": folder, "LANG": "C.UTF-8", **ours}


def _end(supervisor: "subprocess.Popen[bytes]") -> None:
    """End the supervisor: closing its input lets it end everything; only then is it killed itself."""
    if supervisor.stdin is not None:
        supervisor.stdin.close()
    try:
        supervisor.wait(_PATIENCE_S)
    except subprocess.TimeoutExpired:
        supervisor.kill()


def _let_go(line: str) -> None:
    """Take a line that is part of a document and means nothing alone."""


class _Run:
    """One run: reads both outputs until the program, the deadline or the cancel ends it."""

    def __init__(
        self, command: Command, supervisor: "subprocess.Popen[bytes]", report: int, on_line: Callable[[str], None]
    ) -> None:
        self._supervisor = supervisor
        self._report = report
        self._began = time.monotonic()
        on_stdout = on_line if command.shows_stdout else _let_go
        listeners = {"stdout": on_stdout, "stderr": on_line}
        self._streams = {name: Stream(command.output_bytes, listener) for name, listener in listeners.items()}
        self._selector = selectors.DefaultSelector()
        for name in self._streams:
            self._selector.register(getattr(supervisor, name), selectors.EVENT_READ, name)

    def watched(self, cancelled: threading.Event, deadline_s: float) -> Ended:
        """Read until it is over, telling it to end when the time or the cancel comes."""
        with self._selector:
            by = self._read_until_over(cancelled, self._began + deadline_s)
        _end(self._supervisor)
        return self._ended(by)

    def _read_until_over(self, cancelled: threading.Event, ends_at: float) -> EndedBy:
        by = EndedBy.ITSELF
        while self._read_some():
            now = time.monotonic()
            if by is EndedBy.ITSELF and (cancelled.is_set() or now >= ends_at):
                by = EndedBy.CANCEL if cancelled.is_set() else EndedBy.DEADLINE
                self._supervisor.terminate()
                ends_at = now + _PATIENCE_S
            elif now >= ends_at:
                break
        return by

    def _read_some(self) -> bool:
        """Take in what has been written; say whether more may come."""
        for key, _ in self._selector.select(_TICK_S):
            data = os.read(key.fd, _CHUNK)
            if data:
                self._streams[key.data].feed(data)
            else:
                self._selector.unregister(key.fileobj)
        return bool(self._selector.get_map())

    def _ended(self, by: EndedBy) -> Ended:
        told: dict[str, Any] = json.loads(os.read(self._report, _CHUNK) or b"{}")
        if "exit" in told:
            by = EndedBy.ITSELF  # it was faster than being told
        elif "limit" in told or (by is EndedBy.ITSELF and not told):
            by = EndedBy.LIMIT
        return Ended(
            by=by,
            exit_code=told.get("exit"),
            signal=told.get("signal"),
            stdout=self._streams["stdout"].close(),
            stderr=self._streams["stderr"].close(),
            truncated=any(stream.truncated for stream in self._streams.values()),
            duration_ms=int((time.monotonic() - self._began) * 1000),
        )
