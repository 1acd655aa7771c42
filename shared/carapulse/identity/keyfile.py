"""Private keys on disk: written once, whole, and readable by their owner alone."""

import os
import stat
import tempfile
from pathlib import Path

from carapulse.identity.errors import KeyExposed
from carapulse.kernel.errors import Unavailable


def keep_once(path: Path, content: bytes) -> None:
    """Write a private file, unless another process was first; the first one stands.

    The file appears under its name only when it is complete, so that nobody ever reads half a key. Raises Unavailable
    where there is no room for it, or no right.
    """
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        _keep_once(path, content)
    except OSError as error:
        raise Unavailable("a private key can't be kept", path=str(path), said=error.strerror) from error


def _keep_once(path: Path, content: bytes) -> None:
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.link(temporary, path)
    except FileExistsError:
        pass  # the other process's key is as good as ours
    finally:
        Path(temporary).unlink()


def read_private(path: Path) -> bytes:
    """Return the content, or raise KeyExposed when anybody but the owner could have read or changed it."""
    mode = stat.S_IMODE(path.stat().st_mode)
    if mode & 0o077:
        raise KeyExposed("a private key is open to others; set its mode to 600", path=str(path), mode=f"{mode:o}")
    return path.read_bytes()
