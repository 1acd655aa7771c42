"""An identity provider, as a device sees it: OAuth 2.0 Device Authorization Grant (RFC 8628), and refreshed tokens."""

import json
import ssl
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Annotated, Any, Final, Literal, TypeVar

import httpx
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from carapulse.identity.addresses import is_safe, leads_no_lower
from carapulse.surfaces.cli.client import DIRECT
from carapulse.surfaces.cli.errors import CommandError, Misused, NotLoggedIn, Unanswered
from carapulse.surfaces.cli.exits import ExitCode

_DEVICE_CODE: Final = "urn:ietf:params:oauth:grant-type:device_code"
_SLOWER_S: Final = 5.0
_SLOWEST_S: Final = 60.0
_LONGEST_S: Final = 3600.0
_LARGEST: Final = 262_144
_TIMEOUT: Final = httpx.Timeout(15.0, connect=5.0)

Plain = Annotated[str, StringConstraints(min_length=1, max_length=2048, pattern=r"^[\x21-\x7e]+$")]
Token = Annotated[str, StringConstraints(min_length=1, max_length=8192, pattern=r"^[\x21-\x7e]+$")]
Form = Mapping[str, str | None]


class _Answer(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


Shape = TypeVar("Shape", bound=_Answer)


class Discovery(_Answer):
    """Where the provider answers what."""

    issuer: str
    token_endpoint: Plain
    device_authorization_endpoint: Plain | None = None


class Device(_Answer):
    """What a person has to do, and how long there is time for it, in seconds."""

    device_code: Plain
    user_code: Plain
    verification_uri: Plain
    verification_uri_complete: Plain | None = None
    expires_in: Annotated[float, Field(gt=0, allow_inf_nan=False)]
    interval: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 5.0


class Grant(_Answer):
    """Tokens; `expires_in` is in seconds, None if the provider doesn't say."""

    access_token: Token
    token_type: Annotated[str, StringConstraints(to_lower=True)]
    expires_in: Annotated[float, Field(gt=0, allow_inf_nan=False)] | None = None
    refresh_token: Token | None = None


class _Refusal(_Answer):
    error: str
    error_description: str | None = None


@dataclass(frozen=True, slots=True)
class Pace:
    """How time passes between two questions."""

    sleep: Callable[[float], None] = time.sleep
    now: Callable[[], float] = time.monotonic


@dataclass(frozen=True, slots=True)
class Provider:
    """One issuer and what it published about itself."""

    discovery: Discovery
    client_id: str
    pace: Pace = Pace()

    @classmethod
    def find(cls, issuer: str, client_id: str, pace: Pace | None = None) -> "Provider":
        """Return the provider behind an issuer's address. Misused for an unsafe one, Unanswered if it isn't there."""
        if not is_safe(issuer):
            raise Misused("an issuer is an https:// address; http:// is for this machine alone")
        status, said = _send("GET", issuer.rstrip("/") + "/.well-known/openid-configuration")
        found = _shaped(Discovery, said) if status == HTTPStatus.OK else None
        if found is None or found.issuer != issuer:
            raise Unanswered(f"{issuer} does not describe itself as that issuer (HTTP {status})")
        endpoints = [found.token_endpoint, found.device_authorization_endpoint or found.token_endpoint]
        if not all(leads_no_lower(each, issuer) for each in endpoints):
            raise Unanswered(f"{issuer} names addresses that are not safe")
        return cls(found, client_id, pace or Pace())

    def begin(self, scope: str, audience: str | None) -> Device:
        """Ask for a code that a person then enters. Misused if this issuer offers no such thing."""
        url = self.discovery.device_authorization_endpoint
        if url is None:
            raise Misused(f"{self.discovery.issuer} does not offer the device flow")
        status, said = _send("POST", url, {"client_id": self.client_id, "scope": scope, "audience": audience})
        device = _shaped(Device, said) if status == HTTPStatus.OK else None
        if device is None:
            raise _refused(said, status)
        if not all(is_web(each) for each in (device.verification_uri, device.verification_uri_complete) if each):
            raise Unanswered("the issuer names a page that is no web address")
        return device

    def await_grant(self, device: Device) -> Grant:
        """Ask until the person has answered, never faster than the issuer wants (RFC 8628, 3.5)."""
        form = {"grant_type": _DEVICE_CODE, "device_code": device.device_code, "client_id": self.client_id}
        pause, until = device.interval, self.pace.now() + min(device.expires_in, _LONGEST_S)
        while self.pace.now() + pause < until:
            self.pace.sleep(pause)
            answer = self._asked(form)
            if isinstance(answer, Grant):
                return answer
            if answer == "slower":
                pause += _SLOWER_S
            elif answer == "silent":
                pause = min(_SLOWEST_S, max(1.0, pause * 2))
        raise NotLoggedIn("nobody entered the code in time; run `carapulse login` again")

    def refresh(self, refresh_token: str) -> Grant:
        """Return fresh tokens, or raise NotLoggedIn when the issuer gives none any more."""
        form = {"grant_type": "refresh_token", "refresh_token": refresh_token, "client_id": self.client_id}
        status, said = _send("POST", self.discovery.token_endpoint, form)
        if status == HTTPStatus.OK:
            return _granted(said)
        if _error(said) == "invalid_grant":
            raise NotLoggedIn("the login has ended; run `carapulse login` again")
        raise _refused(said, status)

    def _asked(self, form: Form) -> Grant | Literal["again", "slower", "silent"]:
        try:
            status, said = _send("POST", self.discovery.token_endpoint, form)
        except Unanswered:
            return "silent"  # RFC 8628, 3.5: a time-out only makes the pauses longer
        if status == HTTPStatus.OK:
            return _granted(said)
        match _error(said):
            case "authorization_pending":
                return "again"
            case "slow_down":
                return "slower"
            case "expired_token":
                raise NotLoggedIn("nobody entered the code in time; run `carapulse login` again")
            case "access_denied":
                raise CommandError("the login was refused in the issuer's page", ExitCode.REFUSED)
            case None if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
                return "silent"
            case _:
                raise _refused(said, status)


def is_web(url: str) -> bool:
    """Return whether a person can be shown this address as a page."""
    return url.startswith(("https://", "http://"))


def _send(method: str, url: str, form: Form | None = None) -> tuple[int, Any]:
    """Return the status and the JSON of an answer; what is too large, or no JSON, is None."""
    given = {name: each for name, each in form.items() if each is not None} if form else None
    try:
        with (
            httpx.Client(timeout=_TIMEOUT, mounts=DIRECT, verify=_trust(url)) as http,
            http.stream(method, url, data=given, headers={"Accept": "application/json"}) as response,
        ):
            return response.status_code, _read(response)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise Unanswered(f"the issuer does not answer at {url}: {error or type(error).__name__}") from error


def _read(response: httpx.Response) -> Any:  # noqa: ANN401 - any JSON value
    body = bytearray()
    for chunk in response.iter_bytes(_LARGEST):
        body += chunk
        if len(body) > _LARGEST:
            return None
    try:
        return json.loads(body)
    except ValueError:
        return None


def _trust(url: str) -> ssl.SSLContext | bool:
    # Reading the system's authorities is slow, and plain HTTP asks none.
    return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT) if url.startswith("http:") else True


def _shaped(shape: type[Shape], said: object) -> Shape | None:
    try:
        return shape.model_validate(said)
    except ValidationError:
        return None


def _granted(said: object) -> Grant:
    grant = _shaped(Grant, said)
    if grant is None or grant.token_type != "bearer":  # noqa: S105 - a type
        raise Unanswered("the issuer gave something that is no bearer token of 8 KiB at most")
    return grant


def _error(said: object) -> str | None:
    refusal = _shaped(_Refusal, said)
    return refusal.error if refusal else None


def _refused(said: object, status: int) -> CommandError:
    refusal = _shaped(_Refusal, said)
    if refusal is None:
        return Unanswered(f"the issuer answered HTTP {status}, and not as an issuer does")
    return NotLoggedIn(f"the issuer refused: {refusal.error} {refusal.error_description or ''}".strip())
