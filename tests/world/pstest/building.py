"""Compile Google's fake from Debian's Go packages, which are unpacked for that and not installed: `make pstest`."""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[3]
PROGRAM: Final = ROOT / "build" / "debian" / "pstest"
_SOURCE: Final = Path(__file__).with_name("main.go")
_PACKAGES: Final = ("golang-go", "golang-google-cloud-dev")
_LIBRARIES: Final = Path("usr", "share", "gocode")
_FAKE: Final = _LIBRARIES / "src" / "cloud.google.com" / "go" / "pubsub" / "pstest"
_AS_IF_NOTHING_WERE_INSTALLED: Final = ("-o", "Dir::State::status=/dev/null", "--no-install-recommends")


class CannotBeHad(Exception):  # noqa: N818 - it says so
    """Why there is no program of it."""


def installed() -> bool:
    """Return whether the system itself has Go and the library."""
    return shutil.which("go") is not None and (Path("/") / _FAKE).exists()


def build() -> Path:
    """Return the program, compiled the first time, from the system's packages or from those of its archive."""
    if PROGRAM.exists():
        return PROGRAM
    PROGRAM.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=PROGRAM.parent, ignore_cleanup_errors=True) as name:
        folder = Path(name)
        fresh = _compiled(folder, Path("/")) if installed() else _compiled(folder, _unpacked(folder))
        fresh.rename(PROGRAM)
    return PROGRAM


def _compiled(folder: Path, system: Path) -> Path:
    """Compile it with the Go and the libraries that are below a root."""
    own = folder / "go" / "src" / "served"
    own.mkdir(parents=True)
    shutil.copy(_SOURCE, own)
    home = max((system / "usr" / "lib").glob("go-*"), default=None)
    if home is None or not (system / _FAKE).exists():
        raise CannotBeHad("these packages hold no Go, or no fake of Pub/Sub")
    given = {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "GOROOT": str(home),
        "GOPATH": f"{folder / 'go'}:{system / _LIBRARIES}",
        "GOCACHE": str(folder / "cache"),
        "GO111MODULE": "off",
        "CGO_ENABLED": "0",
    }
    _told([str(home / "bin" / "go"), "build", "-o", str(folder / "pstest"), "."], own, given)
    return folder / "pstest"


def _unpacked(folder: Path) -> Path:
    """Fetch what they need of Go from the archive of this system, and unpack it."""
    if shutil.which("apt-get") is None or shutil.which("dpkg") is None:
        raise CannotBeHad("it comes from a Debian archive, and there is no apt-get here")
    root = folder / "root"
    root.mkdir()
    listed = _told(["apt-get", *_AS_IF_NOTHING_WERE_INSTALLED, "--simulate", "install", *_PACKAGES], folder)
    needed = [line.split()[1] for line in listed.splitlines() if line.startswith("Inst ")]
    wanted = [name for name in needed if name.startswith("golang-")]
    _told(["apt-get", "download", *wanted], folder)
    for package in folder.glob("*.deb"):
        _told(["dpkg", "-x", str(package), str(root)], folder)
    return root


def _told(command: list[str], folder: Path, given: dict[str, str] | None = None) -> str:
    """Have a program do something, and return what it said."""
    done = subprocess.run(command, cwd=folder, env=given, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise CannotBeHad(f"{' '.join(command[:3])}: {done.stderr.strip()[-300:]}")
    return done.stdout


def main() -> None:
    """Compile it, or say why it can't be had."""
    try:
        build()
    except CannotBeHad as problem:
        sys.exit(str(problem))


if __name__ == "__main__":
    main()
