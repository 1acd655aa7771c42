"""PgBouncer in transaction mode before a test's Postgres, from Debian's own packages, which are unpacked and not installed."""

import pwd
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.world.warm import ROOT

from carapulse.adapters.embedded.database import APP
from carapulse.adapters.embedded.postgres import EmbeddedPostgres

_BUILT = ROOT / "build" / "debian" / "pgbouncer"
_PACKAGES = ("pgbouncer", "libc-ares2", "libevent-2.1-7")
_SETTINGS = """
[databases]
* = host={sockets} port=5432
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = trust
auth_file = {folder}/users
logfile = {folder}/log
pool_mode = transaction
default_pool_size = {sessions}
max_client_conn = 2000
"""


@dataclass
class Bouncer:
    """A pooler, and how many sessions it may have with the server."""

    port: int
    sessions: int
    name: str

    @property
    def url(self) -> str:
        """Return where the program's role reaches the database by way of it."""
        return f"postgresql://{APP}@127.0.0.1:{self.port}/{self.name}?sslmode=disable"


@contextmanager
def a_bouncer(server: EmbeddedPostgres, database: str, folder: Path, sessions: int = 20) -> Iterator[Bouncer]:
    """Run it, as the user that the server runs as: it refuses to be root."""
    inside = folder / "pgbouncer"
    shutil.copytree(_program(), inside)
    (inside / "users").write_text(f'"{APP}" ""\n')
    port, owner = a_free_port(), server.socket.parent.stat()
    settings = inside / "pgbouncer.ini"
    settings.write_text(_SETTINGS.format(sockets=server.socket.parent, port=port, folder=inside, sessions=sessions))
    folder.chmod(0o755)
    (inside / "log").touch()
    (inside / "log").chmod(0o666)
    command = [str(inside / "usr" / "sbin" / "pgbouncer"), "--quiet", str(settings)]
    process = subprocess.Popen(
        command,
        env={"LD_LIBRARY_PATH": ":".join(str(each) for each in (inside / "usr" / "lib").iterdir())},
        user=pwd.getpwuid(owner.st_uid).pw_name,
        group=owner.st_gid,
        extra_groups=[],
        stderr=subprocess.DEVNULL,
    )
    try:
        _wait_for(port, process, inside / "log")
        yield Bouncer(port, sessions, database)
    finally:
        process.terminate()
        process.wait(10)


def _program() -> Path:
    """Return the folder with the program and its libraries, fetched the first time."""
    if (_BUILT / "usr" / "sbin" / "pgbouncer").exists():
        return _BUILT
    if shutil.which("apt-get") is None or shutil.which("dpkg") is None:
        pytest.skip("PgBouncer comes from a Debian archive, and there is no apt-get here")
    _BUILT.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=_BUILT.parent, ignore_cleanup_errors=True) as name:
        fresh = Path(name) / "fresh"
        fresh.mkdir()
        _unpack(fresh)
        with suppress(OSError):  # another process of this run was faster
            fresh.rename(_BUILT)
    assert (_BUILT / "usr" / "sbin" / "pgbouncer").exists()
    return _BUILT


def _unpack(folder: Path) -> None:
    command = ["apt-get", "download", *_PACKAGES]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=60)
    if done.returncode != 0:
        pytest.skip(f"no Debian archive has PgBouncer for this system: {done.stderr.strip()[-300:]}")
    for package in folder.glob("*.deb"):
        subprocess.run(["dpkg", "-x", str(package), str(folder)], check=True)
        package.unlink()


def a_free_port() -> int:
    """Return a port of loopback that nobody has."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait_for(port: int, process: "subprocess.Popen[bytes]", log: Path) -> None:
    until = time.monotonic() + 10
    while time.monotonic() < until:
        assert process.poll() is None, log.read_text()
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.02)
    raise AssertionError("PgBouncer did not listen in time")
