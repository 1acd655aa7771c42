"""Logins of this person: one file for each installation, so that a token is shown to nobody but whom it is for."""

import fcntl
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Final

from pydantic import ValidationError

from carapulse.identity.keyfile import read_private
from carapulse.kernel.clock import Clock
from carapulse.kernel.record import Record
from carapulse.surfaces.cli.errors import Misused, NotLoggedIn
from carapulse.surfaces.cli.provider import Grant, Provider

_EARLY_S: Final = 30.0
"""A token that ends within so many seconds is not used: an answer may take that long."""


class Login(Record):
    """Who is logged in where, and until when."""

    url: str
    issuer: str
    client_id: str
    access_token: str
    refresh_token: str | None = None
    expires_at: float | None = None

    def refreshed(self, grant: Grant, now: float) -> "Login":
        """Return this login with other tokens; an issuer that gives no new refresh token leaves the old one."""
        until = None if grant.expires_in is None else now + grant.expires_in
        fresh = grant.refresh_token or self.refresh_token
        return self.model_copy(update={"access_token": grant.access_token, "refresh_token": fresh, "expires_at": until})

    def is_good(self, now: float) -> bool:
        """Return whether the token can still be used."""
        return self.expires_at is None or now < self.expires_at - _EARLY_S


@dataclass(frozen=True, slots=True)
class KeptLogin:
    """The file of one installation's login. Only its owner can read it."""

    path: Path
    url: str

    @classmethod
    def of(cls, folder: Path, url: str) -> "KeptLogin":
        """Return where the login for the installation at this address is kept."""
        return cls(folder / f"{sha256(url.encode()).hexdigest()[:32]}.json", url)

    def token(self, clock: Clock) -> str | None:
        """Return a token that is good now, refreshed if need be; None if nobody is logged in."""
        login = self.read()
        if login is None or login.is_good(clock.now().timestamp()):
            return login.access_token if login else None
        with self._alone():
            return self._refreshed(clock)

    def read(self) -> Login | None:
        """Return the login, or None. Raises KeyExposed when others could have read it."""
        try:
            return Login.model_validate_json(read_private(self.path))
        except FileNotFoundError:
            return None
        except (OSError, ValidationError) as error:
            raise Misused(f"the login in {self.path} can't be read; run `carapulse logout`") from error

    def keep(self, login: Login) -> None:
        """Put a login in place of whatever is there."""
        try:
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            handle, temporary = tempfile.mkstemp(dir=self.path.parent, prefix=".login-")
            with os.fdopen(handle, "w") as file:
                file.write(login.model_dump_json())
            Path(temporary).replace(self.path)
        except OSError as error:
            raise Misused(f"the login can't be kept in {self.path}: {error}") from error

    def forget(self) -> bool:
        """Delete the login, and return whether there was one."""
        was_there = self.path.exists()
        self.path.unlink(missing_ok=True)
        self._lock.unlink(missing_ok=True)
        return was_there

    @property
    def _lock(self) -> Path:
        return self.path.with_suffix(".lock")

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Let one command at a time refresh: many issuers take a refresh token that is used twice for stolen."""
        with self._lock.open("w") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield

    def _refreshed(self, clock: Clock) -> str | None:
        login, now = self.read(), clock.now().timestamp()
        if login is None or login.is_good(now):
            return login.access_token if login else None
        if login.refresh_token is None:
            raise NotLoggedIn("the login has expired; run `carapulse login` again")
        grant = Provider.find(login.issuer, login.client_id).refresh(login.refresh_token)
        fresh = login.refreshed(grant, now)
        self.keep(fresh)
        return fresh.access_token
