"""A process that has imported what programs import, and is forked into them: each begins in milliseconds, not seconds.

A program is a process of its own all the same: with its own environment, arguments and output, and it can be ended in
every way. What is wanted comes in over a socket, and the exit code goes back. When nobody is there to ask any more, this
ends, and all programs with it.
"""

import gc
import json
import os
import runpy
import selectors
import signal
import socket
import sys
import threading
from contextlib import suppress
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

# Not the client of Lambda: it finds its address when it is imported.
WARM = (
    "carapulse.runtime.areas",
    "carapulse.runtime.functions",
    "carapulse.runtime.http.app",
    "carapulse.surfaces.cli.up",
    "functions_framework._http.gunicorn",
    "uvicorn",
)
_LONGEST = 1_000_000


@dataclass
class Forked(Exception):  # noqa: N818 - it is no error
    """Leads the way out of what only the first process does."""

    wanted: dict[str, Any]
    output: list[int]


class Zygote:
    """Forks programs, and tells how they ended."""

    def __init__(self, listener: socket.socket) -> None:
        self.listener = listener
        self.selector = selectors.DefaultSelector()
        self.selector.register(listener, selectors.EVENT_READ, self.begin)
        self.selector.register(sys.stdin, selectors.EVENT_READ, self.end)
        self.running: dict[int, tuple[int, socket.socket]] = {}

    def serve(self) -> Forked:
        """Fork whatever is asked for, until whoever may ask is gone; return only in what was forked, with its task."""
        try:
            while True:
                for key, _ in self.selector.select():
                    key.data(key.fd)
        except Forked as forked:
            return forked

    def begin(self, _listener: int) -> None:
        """Fork a program, and say which number it has."""
        asking, _ = self.listener.accept()
        said, output, *_ = socket.recv_fds(asking, _LONGEST, 2)
        pid = os.fork()
        if pid == 0:
            asking.close()
            self.forget()
            raise Forked(json.loads(said), output)
        for each in output:
            os.close(each)
        asking.sendall(f"{pid}\n".encode())
        watch = os.pidfd_open(pid)
        self.running[watch] = pid, asking
        self.selector.register(watch, selectors.EVENT_READ, self.tell)

    def tell(self, watch: int) -> None:
        """Say how a program ended."""
        self.selector.unregister(watch)
        os.close(watch)
        pid, asking = self.running.pop(watch)
        _, status = os.waitpid(pid, 0)
        with suppress(OSError), asking:
            asking.sendall(f"{os.waitstatus_to_exitcode(status)}\n".encode())

    def forget(self) -> None:
        """Let go of everything that is the first process's."""
        self.selector.close()
        self.listener.close()
        for watch, (_, asking) in self.running.items():
            os.close(watch)
            asking.close()

    def end(self, _stdin: int) -> None:
        """End everything."""
        for pid, _ in self.running.values():
            os.kill(pid, signal.SIGKILL)
        sys.exit()


def become(forked: Forked) -> None:
    """Become a program: a module, run as `python -m` does, or a file."""
    for own, given in enumerate((os.open(os.devnull, os.O_RDONLY), *forked.output)):
        os.dup2(given, own)
        os.close(given)
    os.environ.clear()
    os.environ.update(forked.wanted["environment"])
    os.chdir(forked.wanted["folder"])
    sys.argv[:] = forked.wanted["arguments"]
    program = sys.argv[0]
    if program.endswith(".py"):
        sys.path.insert(0, str(Path(program).parent))
        runpy.run_path(program, run_name="__main__")
    else:
        runpy.run_module(program, run_name="__main__", alter_sys=True)


def main() -> None:
    """Import what programs import, say so, and wait."""
    for name in WARM:
        import_module(name)
    assert threading.active_count() == 1, "a process with threads can't be forked"
    gc.collect()
    gc.freeze()  # or each program's first collection would copy all of it
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(sys.argv[1])
    listener.listen()
    sys.stdout.write("warm\n")
    sys.stdout.flush()
    become(Zygote(listener).serve())


if __name__ == "__main__":
    main()
