"""What can befall a database server, for as long as a `with` lasts, and a server to do it to."""

import os
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from carapulse.adapters.embedded.database import APP, DATABASE, OWNER, prepare
from carapulse.adapters.embedded.postgres import EmbeddedPostgres, over_socket
from carapulse.adapters.postgres.migrate import migrate


class Server:
    """A migrated server of the test's own, which can be stopped and started again at the same address."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.start()
        prepare(self.running)
        migrate(self.running.url(OWNER, DATABASE), APP)
        self.url = self.running.url(APP, DATABASE)

    def start(self) -> None:
        """Start it, unless it runs."""
        self.running = EmbeddedPostgres.start(self.folder)

    def run(self, statement: str, **parameters: Any) -> Any:
        """Run one statement as somebody whom nothing stops."""
        return run(self.running, DATABASE, statement, **parameters)

    @contextmanager
    def stopped(self) -> Iterator[None]:
        """Let nobody answer."""
        self.running.stop()
        try:
            yield
        finally:
            self.start()

    @contextmanager
    def frozen(self) -> Iterator[None]:
        """Let every process of the server stand still, while the kernel still takes connections for it."""
        family = [self.running.process.pid, *children(self.running.process.pid)]
        for pid in family:
            os.kill(pid, signal.SIGSTOP)
        try:
            yield
        finally:
            for pid in family:
                os.kill(pid, signal.SIGCONT)

    @contextmanager
    def read_only(self) -> Iterator[None]:
        """Let every session read and none write, as on a standby."""
        self._set("ALTER SYSTEM SET default_transaction_read_only = on", "on")
        try:
            yield
        finally:
            self._set("ALTER SYSTEM RESET default_transaction_read_only", "off")

    @contextmanager
    def taken(self) -> Iterator[None]:
        """Let others hold every connection that the database has."""
        self.run(f"ALTER DATABASE {DATABASE} CONNECTION LIMIT 0")
        self.run("SELECT pg_terminate_backend(pid, 2000) FROM pg_stat_activity WHERE usename = :app", app=APP)
        try:
            yield
        finally:
            self.run(f"ALTER DATABASE {DATABASE} CONNECTION LIMIT -1")

    def _set(self, statement: str, wanted: str) -> None:
        self.run(statement)
        self.run("SELECT pg_reload_conf()")
        until = time.monotonic() + 5
        while self.run("SHOW default_transaction_read_only") != [[wanted]]:
            assert time.monotonic() < until
            time.sleep(0.01)


def run(server: EmbeddedPostgres, database: str, statement: str, **parameters: Any) -> Any:
    """Run one statement in a session of its own that may write whatever others may."""
    connection = over_socket(server.socket, database, timeout_s=10)
    try:
        return connection.run(statement, **parameters)
    finally:
        connection.close()


def children(parent: int) -> list[int]:
    """Return the processes that a process has begun."""
    found = []
    for entry in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            if int(entry.read_text().rpartition(")")[2].split()[1]) == parent:
                found.append(int(entry.parent.name))
    return found


@contextmanager
def small_disk(folder: Path, megabytes: int) -> Iterator[Path]:
    """Mount a disk that is soon full; only where mounting is permitted."""
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m,mode=755", "carapulse-test", str(folder)]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    if done.returncode != 0:
        pytest.skip(f"nobody may mount a small disk here: {done.stderr.strip()}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


@contextmanager
def full(disk: Path) -> Iterator[None]:
    """Let something else take all that is left of a disk."""
    filler = disk / "filler"
    with filler.open("wb", buffering=0) as file, suppress(OSError):
        while True:
            file.write(bytes(65536))
    try:
        yield
    finally:
        filler.unlink()
