"""Fetches one program for the image, if it is the one whose checksum was given; run while the image is built."""

import argparse
import hashlib
import io
import sys
import tarfile
import urllib.request
from pathlib import Path

_PATIENCE_S = 60


def main() -> int:
    """Fetch what the arguments name, or say why not."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("url")
    asked.add_argument("--sha256", required=True)
    asked.add_argument("--to", type=Path, required=True)
    asked.add_argument("--member", help="the file to take out of a tar archive")
    given = asked.parse_args()
    if not given.sha256:
        return _refused(f"give the checksum of {given.url} as its publisher tells it: --build-arg …_SHA256=…")
    content = _fetched(given.url)
    found = hashlib.sha256(content).hexdigest()
    if found != given.sha256:
        return _refused(f"{given.url} has the checksum {found}, and {given.sha256} was given")
    given.to.write_bytes(content if given.member is None else _member(content, given.member))
    given.to.chmod(0o755)
    return 0


def _fetched(url: str) -> bytes:
    with urllib.request.urlopen(url, timeout=_PATIENCE_S) as answer:  # noqa: S310 - the Dockerfile names it
        content: bytes = answer.read()
    return content


def _member(archive: bytes, name: str) -> bytes:
    with tarfile.open(fileobj=io.BytesIO(archive)) as opened:
        found = opened.extractfile(name)
        if found is None:
            raise ValueError(f"{name} is no file in the archive")
        return found.read()


def _refused(reason: str) -> int:
    sys.stderr.write(f"{reason}\n")
    return 1


if __name__ == "__main__":
    sys.exit(main())
