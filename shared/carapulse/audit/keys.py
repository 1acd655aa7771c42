"""The installation's evidence key: made once, kept where only this program can read it."""

import os
import secrets
import stat
from pathlib import Path

from carapulse.audit.errors import UnsafeKeyFile
from carapulse.audit.note import Signer

SECRET_FILE = "evidence.key"  # noqa: S105 - a file's name
PUBLIC_FILE = "evidence.vkey"
_OTHERS = stat.S_IRWXG | stat.S_IRWXO
_LARGEST = 4096  # bytes


def open_evidence_key(folder: Path) -> Signer:
    """Return the key in a folder, made there if there is none, and write its public half beside it.

    Its name is of its own, so that checkpoints of two installations can't be taken for each other. Raises UnsafeKeyFile
    if others could read it, and Invalid if it is not a key.
    """
    path = folder / SECRET_FILE
    if not path.exists():
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        _write_once(path, Signer.new(f"carapulse.dev/log/{secrets.token_hex(8)}").text() + "\n")
    signer = Signer.parse(_read_private(path))
    (folder / PUBLIC_FILE).write_text(f"{signer.key}\n")
    return signer


def _read_private(path: Path) -> str:
    with path.open("rb") as file:
        facts = os.fstat(file.fileno())
        if facts.st_mode & _OTHERS or facts.st_uid not in {os.geteuid(), 0}:
            mode = f"{stat.S_IMODE(facts.st_mode):04o}"
            raise UnsafeKeyFile("others can read or replace the evidence key; it needs mode 0600", mode=mode)
        return file.read(_LARGEST).decode(errors="replace")


def _write_once(path: Path, text: str) -> None:
    """Put a whole file in its place: of two that try at once the first wins, and nobody sees half a file."""
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(handle, "w") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        os.link(draft, path)
    except FileExistsError:
        return
    finally:
        draft.unlink()
