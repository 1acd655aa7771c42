"""Secrets by reference, read at each use so that a rotated one counts at once: variables, files, other stores."""

import os
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from carapulse.tools.errors import SecretMissing

_LARGEST = 65_536


@dataclass(frozen=True, slots=True)
class LocalSecrets:
    """Reads secrets from the given environment, from files and from other stores; keeps new ones in files."""

    environment: Mapping[str, str]
    stores: Mapping[str, Callable[[str], str]] = field(default_factory=dict)

    def read(self, reference: str) -> str:
        """Return what `env:NAME`, `file:/path` or `STORE:PLACE` holds at this moment, or raise SecretMissing."""
        kind, _, place = reference.partition(":")
        if kind in self.stores:
            return self.stores[kind](place)
        value = self.environment.get(place, "") if kind == "env" else _file(place)
        if not value.strip():
            raise SecretMissing("a secret is empty or not there", reference=reference)
        return value.rstrip("\r\n")

    def generate(self, characters: int) -> str:
        """Return a new random secret of that length, letters and digits of base64url."""
        return secrets.token_urlsafe(characters)[:characters]

    def keep(self, folder: str, name: str, value: str) -> str:
        """Keep a secret in a new file of that folder that nobody else can read, and return its reference."""
        path = Path(folder) / f"{name}-{secrets.token_hex(8)}"
        try:
            Path(folder).mkdir(mode=0o700, parents=True, exist_ok=True)
            handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                file.write(value)
        except OSError as error:
            raise SecretMissing("a secret can't be kept", folder=folder) from error
        return f"file:{path}"


def _file(place: str) -> str:
    try:
        with Path(place).open(encoding="utf-8") as file:
            return file.read(_LARGEST)
    except (OSError, ValueError) as error:  # no file, no text, or no name that a file can have
        raise SecretMissing("a secret's file can't be read", reference=f"file:{place}") from error
