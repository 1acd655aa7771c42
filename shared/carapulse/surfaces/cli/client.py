"""The HTTP API, as a client sees it: an answer in JSON, a problem, or no answer."""

import json
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from http import HTTPStatus
from types import TracebackType
from typing import Any, Final, Self
from urllib.parse import quote

import httpx

from carapulse.surfaces.cli.errors import CommandError, Refused, Unanswered

_TIMEOUT: Final = httpx.Timeout(30.0, connect=5.0)
_SILENCE: Final = httpx.Timeout(45.0, connect=5.0)
"""A stream that says nothing for longer has lost its heartbeat."""

_AGAIN_S: Final = (0.5, 2.0)
"""Seconds before a request that nobody answered is sent again under its key, and before it is once more."""

_CUT = (httpx.ReadError, httpx.ReadTimeout, httpx.RemoteProtocolError, httpx.WriteError)
_KEY: Final = "Idempotency-Key"
_PROBLEM = "application/problem+json"
_HTTP_ERROR = 400
# An address of this machine is never behind a proxy, whatever the environment says.
DIRECT: Final[dict[str, None]] = {"all://127.0.0.1": None, "all://localhost": None, "all://[::1]": None}


@dataclass(frozen=True, slots=True)
class Answer:
    """What the API said: the text as it came, the JSON in it, and the ETag of what it shows."""

    status: int
    text: str
    body: Any
    etag: str | None = None


def path_of(*segments: str, verb: str = "") -> str:
    """Return a path under /v1, whatever the segments contain. A verb follows a colon: `/v1/plans/p:execute`."""
    path = "/".join(quote(segment, safe="") for segment in segments)
    return f"/v1/{path}:{verb}" if verb else f"/v1/{path}"


class Api:
    """One installation of Carapulse, and who is asking it."""

    def __init__(self, url: str, token: str | None, transport: httpx.BaseTransport | None = None) -> None:
        self.url = url.rstrip("/")
        self.again_s = _AGAIN_S
        headers = {"Accept": "application/json"} | ({"Authorization": f"Bearer {token}"} if token else {})
        mounts = None if transport else DIRECT
        try:
            self._http = httpx.Client(
                base_url=self.url, headers=headers, timeout=_TIMEOUT, mounts=mounts, transport=transport
            )
        except (httpx.InvalidURL, ValueError) as error:
            raise Unanswered(f"{url!r} is not an address: {error}") from error

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._http.close()

    def get(self, path: str, **query: str | int | None) -> Answer:
        """Read something."""
        return self._send("GET", path, params={key: value for key, value in query.items() if value is not None})

    def post(self, path: str, body: Mapping[str, Any] | None = None, seen: str | None = None) -> Answer:
        """Ask for something to be done, once, with what was seen as it still is.

        If the answer gets lost, the request is sent again under the same key.
        """
        ask = partial(self._send, "POST", path, json=body or {}, headers={_KEY: str(uuid.uuid4()), **_if_match(seen)})
        for pause_s in self.again_s:
            try:
                return ask()
            except CommandError as error:
                if not _may_have_come_through(error):
                    raise
                time.sleep(pause_s)
        return ask()

    def put(self, path: str, body: Mapping[str, Any]) -> Answer:
        """Put something in its place: of what is there now, or of nothing."""
        try:
            condition = _if_match(self.get(path).etag)
        except Refused as refused:
            if refused.status != HTTPStatus.NOT_FOUND:
                raise
            condition = {"If-None-Match": "*"}
        return self._send("PUT", path, json=body, headers=condition)

    def patch(self, path: str, body: Mapping[str, Any]) -> Answer:
        """Change what is there now."""
        return self._send("PATCH", path, json=body, headers=_if_match(self.get(path).etag))

    def delete(self, path: str) -> Answer:
        """Take away what is there now."""
        return self._send("DELETE", path, headers=_if_match(self.get(path).etag))

    def text(self, path: str) -> str:
        """Read something as it is, which need not be JSON."""
        response = self._asked(lambda: self._http.get(path, headers={"Accept": "*/*"}))
        _check(response)
        return response.text

    @contextmanager
    def stream(self, path: str, after: str | None) -> Iterator[httpx.Response]:
        """Open a stream of server-sent events, from behind an event on."""
        headers = {"Accept": "text/event-stream"} | ({"Last-Event-ID": after} if after else {})
        with self._http.stream("GET", path, headers=headers, timeout=_SILENCE) as response:
            if response.status_code >= _HTTP_ERROR:
                response.read()
                _check(response)
            yield response

    def _send(self, method: str, path: str, **given: Any) -> Answer:  # noqa: ANN401 - as httpx takes it
        response = self._asked(lambda: self._http.request(method, path, **given))
        _check(response)
        body = _read(response) if response.content else None
        return Answer(response.status_code, response.text, body, response.headers.get("etag"))

    def _asked(self, ask: Callable[[], httpx.Response]) -> httpx.Response:
        try:
            return ask()
        except httpx.TransportError as error:
            raise Unanswered(_why(self.url, error)) from error
        except (httpx.InvalidURL, httpx.DecodingError, httpx.TooManyRedirects) as error:
            raise Unanswered(f"{self.url} can't be asked: {error}") from error


def _if_match(etag: str | None) -> dict[str, str]:
    return {} if etag is None else {"If-Match": etag}


def _check(response: httpx.Response) -> None:
    """Raise Refused for a problem that Carapulse describes, Unanswered for an error of somebody else."""
    if response.is_success:
        return
    body = _read(response) if response.headers.get("content-type", "").startswith(_PROBLEM) else None
    if not isinstance(body, dict):
        raise Unanswered(f"{response.request.url} answered {response.status_code}, and not as Carapulse does")
    raise Refused(response.status_code, body, response.text)


def _may_have_come_through(error: CommandError) -> bool:
    """Say whether the same request was perhaps received and not answered, or is still being worked on."""
    if isinstance(error, Refused):
        return error.body.get("code") == "idempotency-key-in-use"
    return isinstance(error.__cause__, _CUT)


def _read(response: httpx.Response) -> Any:  # noqa: ANN401 - any JSON value
    try:
        return json.loads(response.text)
    except ValueError as error:
        raise Unanswered(f"{response.request.url} answered {response.status_code}, but not in JSON") from error


def _why(url: str, error: httpx.TransportError) -> str:
    match error:
        case httpx.ConnectTimeout() | httpx.ConnectError():
            return (
                f"nobody answers at {url} ({str(error) or 'no connection in time'}); is `carapulse up` running there?"
            )
        case httpx.TimeoutException():
            return f"{url} did not answer in time"
        case httpx.UnsupportedProtocol():
            return f"{url!r} is not an address that begins with http:// or https://"
        case _:
            return f"the connection to {url} broke: {error or type(error).__name__}"
