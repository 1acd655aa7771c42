"""The supervisor: starts one program under limits and ends every process that came out of it.

Run as a program of its own (standard library only), for two reasons: limits must be set between fork and exec, which
is not safe in a process with threads; and on Linux it is the subreaper (prctl(2)) of all that the program starts, so
that what forks away or makes a session of its own stays within reach. Elsewhere only the program's process group is.

It ends the program on SIGTERM, and when its standard input closes: if whoever started it dies, so does the program.
The one line on the report's file descriptor says how the program ended.
"""

import ctypes
import json
import os
import resource
import selectors
import signal
import sys
import time
from pathlib import Path

_SET_CHILD_SUBREAPER = 36
_GRACE_S = 2.0
_TICK_S = 0.2
_CANNOT_EXECUTE = 127
_LINUX = sys.platform == "linux"


def main(arguments: list[str]) -> int:
    """Run `report_fd limits program argument…` and report."""
    report = int(arguments[0])
    limits = json.loads(arguments[1])
    if _LINUX:
        ctypes.CDLL(None).prctl(_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    wake = _wakeups()
    child = _start(arguments[2:], limits, report)
    ended = _wait(child, wake, limits["processes"])
    _end_all(child)
    os.write(report, json.dumps(ended).encode())
    return 0


def _wakeups() -> int:
    """Return a pipe that becomes readable with every signal that matters."""
    reading, writing = os.pipe()
    os.set_blocking(reading, False)
    os.set_blocking(writing, False)
    signal.set_wakeup_fd(writing, warn_on_full_buffer=False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.signal(signal.SIGTERM, lambda *_: _asked.append(True))
    return reading


_asked: list[bool] = []


def _start(command: list[str], limits: dict[str, int], report: int) -> int:
    child = os.fork()
    if child:
        return child
    try:
        os.setsid()
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)
        _limit(limits)
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        os.set_inheritable(report, False)  # noqa: FBT003 - theirs
        os.execv(command[0], command)  # noqa: S606 - there is no shell on purpose
    except OSError as error:
        os.write(2, f"{command[0]}: {error.strerror}\n".encode())
    os._exit(_CANNOT_EXECUTE)


def _limit(limits: dict[str, int]) -> None:
    kinds = {
        resource.RLIMIT_CPU: limits["cpu_s"],
        resource.RLIMIT_AS: limits["memory_bytes"],
        resource.RLIMIT_FSIZE: limits["file_bytes"],
        resource.RLIMIT_NOFILE: limits["open_files"],
        resource.RLIMIT_CORE: 0,
    }
    for kind, most in kinds.items():
        hard = resource.getrlimit(kind)[1]
        value = most if hard == resource.RLIM_INFINITY else min(most, hard)
        resource.setrlimit(kind, (value, value))


def _wait(child: int, wake: int, processes: int) -> dict[str, int | str]:
    """Return how the program ended: by itself, or because it was told to, or by having too many processes."""
    selector = selectors.DefaultSelector()
    selector.register(0, selectors.EVENT_READ)
    selector.register(wake, selectors.EVENT_READ)
    while True:
        for key, _ in selector.select(_TICK_S):
            if not os.read(key.fd, 4096):
                return {"told": 1}
        ended, status = _reaped(child)
        if ended:
            code = os.waitstatus_to_exitcode(status)
            return {"exit": code} if code >= 0 else {"signal": -code}
        if _asked:
            return {"told": 1}
        if len(_descendants()) > processes:
            return {"limit": "processes"}


def _reaped(child: int) -> tuple[bool, int]:
    """Take in every process that is over, and say whether the program itself is."""
    found = (False, 0)
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return found
        if pid == 0:
            return found
        if pid == child:
            found = (True, status)


def _end_all(child: int) -> None:
    """Ask every process that is left to end, then make it; return when none is left."""
    _signal_all(child, signal.SIGTERM)
    patient_until = time.monotonic() + _GRACE_S
    while _someone_is_left():
        if time.monotonic() >= patient_until:
            _signal_all(child, signal.SIGKILL)
        time.sleep(0.01)


def _someone_is_left() -> bool:
    while True:
        try:
            if os.waitpid(-1, os.WNOHANG)[0] == 0:
                return True
        except ChildProcessError:
            return False


def _signal_all(child: int, number: signal.Signals) -> None:
    for kill, target in [(os.killpg, child), *((os.kill, pid) for pid in _descendants())]:
        try:
            kill(target, number)
        except (ProcessLookupError, PermissionError):  # gone, or somebody else's by now
            continue


def _descendants() -> list[int]:
    """Return the ids of every process below this one (Linux; elsewhere none can be seen)."""
    if not _LINUX:
        return []
    children: dict[int, list[int]] = {}
    for entry in os.listdir("/proc"):  # noqa: PTH208 - asked several times a second
        if entry.isdigit() and (parent := _parent(entry)) is not None:
            children.setdefault(parent, []).append(int(entry))
    found, front = [], [os.getpid()]
    while front:
        front = [child for parent in front for child in children.get(parent, [])]
        found += front
    return found


def _parent(pid: str) -> int | None:
    try:
        stat = Path(f"/proc/{pid}/stat").read_bytes()
    except OSError:
        return None  # it ended while we looked
    return int(stat[stat.rindex(b")") + 2 :].split()[1])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
