"""Calls of Google's REST interfaces, with credentials that google-auth finds and renews."""

import threading
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import cached_property
from typing import Any, Final

import google.auth
from google.auth.exceptions import GoogleAuthError
from google.auth.transport.requests import AuthorizedSession

from carapulse.kernel.errors import Unavailable

_SCOPES: Final = ("https://www.googleapis.com/auth/cloud-platform",)
_CONNECT_S: Final = 3.0
_ANSWER_S: Final = 25.0
_new_session: Any = AuthorizedSession  # google-auth tells no types


@dataclass(frozen=True, slots=True)
class Said:
    """What Google answered."""

    status: int
    at: datetime
    body: bytes
    json: Any
    """The body, as far as it is JSON, else None."""

    @property
    def error(self) -> str:
        """Google's own words for what went wrong."""
        said = self.json.get("error") if isinstance(self.json, dict) else None
        return str(said.get("message", "")) if isinstance(said, dict) else self.body[:200].decode("utf-8", "replace")


@dataclass(frozen=True)
class GoogleApi:
    """One service at its address. Each thread has a connection of its own; all share the credentials."""

    service: str
    url: str
    _own: threading.local = field(default_factory=threading.local)

    def ask(self, method: str, path: str, *, body: bytes | None = None, **headers: str) -> Said:
        """Return the answer, whatever it says; Unavailable if there is none, or nobody vouches for us."""
        try:
            answer = self._session().request(
                method,
                self.url + path,
                data=body,
                headers=headers,
                timeout=(_CONNECT_S, _ANSWER_S),
                allow_redirects=False,
            )
        except GoogleAuthError as error:
            raise Unavailable(f"there are no credentials for {self.service}", kind=type(error).__name__) from error
        except OSError as error:  # as which requests raises everything
            raise Unavailable(f"{self.service} did not answer", kind=type(error).__name__) from error
        return Said(answer.status_code, _moment_of(answer), answer.content, _json_of(answer))

    @cached_property
    def _credentials(self) -> Any:  # noqa: ANN401 - google-auth tells no types
        return google.auth.default(scopes=_SCOPES)[0]

    def _session(self) -> Any:  # noqa: ANN401 - google-auth tells no types
        if not hasattr(self._own, "session"):
            self._own.session = _new_session(self._credentials, max_refresh_attempts=1)
        return self._own.session


def _moment_of(answer: Any) -> datetime:  # noqa: ANN401 - google-auth tells no types
    """Return when it answered, by its own clock; the end of time if it doesn't say."""
    try:
        return parsedate_to_datetime(answer.headers.get("Date", ""))
    except ValueError:
        return datetime.max.replace(tzinfo=UTC)


def _json_of(answer: Any) -> Any:  # noqa: ANN401 - any JSON value
    if not answer.headers.get("Content-Type", "").startswith("application/json"):
        return None
    try:
        return answer.json()
    except ValueError:
        return None
