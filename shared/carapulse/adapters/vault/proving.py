"""How we prove to a Vault who we are: a token that somebody put into a file, or a login that gives one."""

import threading
import time
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path
from typing import Any, Final, Literal, Protocol

from carapulse.adapters.vault.speaking import Vault
from carapulse.tools.errors import SecretForbidden, SecretStoreAway

_LARGEST: Final = 65_536
_EARLY: Final = 0.9
"""After which part of its life a token is renewed by another login."""


class Proof(Protocol):
    """Gives a token."""

    def token(self) -> str:
        """Return one that should count now."""
        ...

    def refused(self, token: str) -> bool:
        """Hear that a token was refused, and say whether another may be had."""
        ...


@dataclass(frozen=True, slots=True)
class TokenFile:
    """A token that an agent of Vault renews in its file."""

    path: Path

    def token(self) -> str:
        """Return what the file holds now."""
        return read_proof(self.path)

    def refused(self, token: str) -> bool:
        """Say whether the file holds another by now."""
        return self.token() != token


@dataclass
class Login:
    """A login by the proof in a file: the token of a pod's service account, or the secret id of an AppRole."""

    vault: Vault
    method: Literal["kubernetes", "approle"]
    role: str
    proof: Path
    mount: str
    _held: tuple[str, float] | None = None
    _turn: threading.Lock = field(default_factory=threading.Lock)

    def token(self) -> str:
        """Return the token of the last login while it counts, else of a new one."""
        with self._turn:
            if self._held is None or time.monotonic() >= self._held[1]:
                self._held = self._log_in()
            return self._held[0]

    def refused(self, token: str) -> bool:
        """Forget the token: it was revoked, and a new login gives another."""
        with self._turn:
            if self._held is not None and self._held[0] == token:
                self._held = None
        return True

    def _log_in(self) -> tuple[str, float]:
        proof = read_proof(self.proof)
        said = (
            {"jwt": proof, "role": self.role}
            if self.method == "kubernetes"
            else {"secret_id": proof, "role_id": self.role}
        )
        begun = time.monotonic()
        answer = self.vault.ask("POST", f"auth/{self.mount}/login", body=said)
        if answer.status in {HTTPStatus.BAD_REQUEST, HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND}:
            raise SecretForbidden("Vault refused the login", mount=self.mount, role=self.role)
        return _token_of(answer.data), begun + _life_of(answer.data) * _EARLY


def read_proof(path: Path) -> str:
    """Return what a file holds by which we prove who we are; SecretForbidden if it can't be read."""
    try:
        with path.open(encoding="utf-8") as file:
            proof = file.read(_LARGEST).strip()
    except (OSError, UnicodeDecodeError) as error:
        raise SecretForbidden("the file by which Vault is to know us can't be read", file=str(path)) from error
    if not proof.isprintable() or not proof:
        raise SecretForbidden("the file by which Vault is to know us holds no such thing", file=str(path))
    return proof


def _token_of(said: dict[str, Any]) -> str:
    auth = said.get("auth")
    token = auth.get("client_token") if isinstance(auth, dict) else None
    if not isinstance(token, str) or not token:
        raise SecretStoreAway("Vault answered a login without a token")
    return token


def _life_of(said: dict[str, Any]) -> float:
    life = said["auth"].get("lease_duration")
    return float(life) if isinstance(life, int) else 0.0
