"""The installation's evidence key: made at the first start, kept where only this program can read it."""

import secrets
from pathlib import Path

from carapulse.audit.note import Signer
from carapulse.identity.keyfile import keep_once, read_private

SECRET_FILE = "evidence.key"  # noqa: S105 - a file's name
PUBLIC_FILE = "evidence.vkey"


def open_evidence_key(folder: Path) -> Signer:
    """Return the key in a folder, made there if there is none, and write its public half beside it.

    Its name is of its own, so that checkpoints of two installations can't be taken for each other. Raises KeyExposed if
    others could have read it, and Invalid if it is not a key.
    """
    path = folder / SECRET_FILE
    if not path.exists():
        keep_once(path, Signer.new(f"carapulse.dev/log/{secrets.token_hex(8)}").text().encode() + b"\n")
    signer = Signer.parse(read_private(path).decode(errors="replace"))
    public = folder / PUBLIC_FILE
    if not public.exists() or public.read_text() != f"{signer.key}\n":
        public.write_text(f"{signer.key}\n")
    return signer
