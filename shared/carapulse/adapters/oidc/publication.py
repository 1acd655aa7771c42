"""Reading what an issuer publishes: its discovery document (OpenID Connect Discovery 1.0), and from there its keys."""

import re
import threading
import time
from collections.abc import Collection
from dataclasses import dataclass
from http import HTTPStatus
from typing import Annotated, Any, Final, Protocol, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from carapulse.adapters.oidc.jwks import PublicKey, usable
from carapulse.identity.addresses import leads_no_lower
from carapulse.identity.errors import IssuerUnavailable
from carapulse.kernel.errors import Problem
from carapulse.tools.addresses import address_of
from carapulse.tools.ports import Answer, Request, Web
from carapulse.wire import read_json

LARGEST: Final = 262_144
MOST_KEYS: Final = 100
SHORTEST_S: Final = 60.0
LONGEST_S: Final = 86_400.0
_UNTOLD_S: Final = 600.0
_MAX_AGE: Final = re.compile(r"(?i)(?:^|[\s,])max-age\s*=\s*\"?(\d{1,9})")
_UNKEPT: Final = re.compile(r"(?i)(?:^|[\s,])(?:no-store|no-cache)(?:$|[\s,=])")


class Publishing(Protocol):
    """An issuer, as far as its keys are concerned."""

    @property
    def issuer(self) -> str:
        """Its address, exactly as it stands in its tokens."""
        ...

    @property
    def algorithms(self) -> Collection[str]:
        """With which it may sign."""
        ...

    @property
    def ca_file(self) -> str | None:
        """Who vouches for its server; None is everybody whom this machine believes."""
        ...


class _Document(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore", strict=True)


Shape = TypeVar("Shape", bound=_Document)


class _Discovery(_Document):
    issuer: str
    jwks_uri: str


class _KeySet(_Document):
    keys: Annotated[list[Any], Field(max_length=MOST_KEYS)]


@dataclass(frozen=True, slots=True)
class Published:
    """An issuer's keys, and for how many seconds they hold without another look."""

    keys: tuple[PublicKey, ...]
    holds_s: float


@dataclass(frozen=True, slots=True)
class Publication:
    """What one issuer publishes, read over the web."""

    issuer: Publishing
    web: Web
    patience_s: float = 5.0
    """For both documents together: somebody waits for them."""

    def read(self) -> Published:
        """Return the keys as they are now, or raise IssuerUnavailable."""
        until = time.monotonic() + self.patience_s
        keys = self._get(self._discovered(until).jwks_uri, until)
        found = usable(_parsed(_KeySet, keys).keys, self.issuer.algorithms)
        if not found:
            raise IssuerUnavailable("the issuer publishes no key that can be used")
        return Published(found, lifetime(keys.headers.get("cache-control", "")))

    def _discovered(self, until: float) -> _Discovery:
        url = self.issuer.issuer.rstrip("/") + "/.well-known/openid-configuration"
        said = _parsed(_Discovery, self._get(url, until))
        if said.issuer != self.issuer.issuer:
            raise IssuerUnavailable("the address belongs to another issuer", said=said.issuer[:200])
        if not leads_no_lower(said.jwks_uri, self.issuer.issuer):
            raise IssuerUnavailable("the issuer keeps its keys at an address that is not safe")
        return said

    def _get(self, url: str, until: float) -> Answer:
        try:
            request = Request(
                method="GET",
                url=url,
                headers=(("Accept", "application/json"),),
                may_reach=frozenset({address_of(url)}),
                ca_file=self.issuer.ca_file,
                answer_bytes=LARGEST,
            )
            answer = self.web.send(request, cancelled=threading.Event(), deadline_s=max(0.0, until - time.monotonic()))
        except Problem as error:
            raise IssuerUnavailable("the issuer could not be asked") from error
        if answer.status != HTTPStatus.OK or answer.truncated:
            why = answer.lost or ("the answer is too large" if answer.truncated else f"HTTP {answer.status}")
            raise IssuerUnavailable("the issuer did not answer as it must", why=why)
        return answer


def lifetime(cache_control: str) -> float:
    """Return how many seconds an answer holds (RFC 9111), within a minute and a day."""
    if _UNKEPT.search(cache_control):
        return SHORTEST_S
    told = _MAX_AGE.search(cache_control)
    return min(LONGEST_S, max(SHORTEST_S, float(told.group(1)))) if told else _UNTOLD_S


def _parsed(shape: type[Shape], answer: Answer) -> Shape:
    try:
        return shape.model_validate(read_json(answer.body))
    except (Problem, ValidationError) as error:
        raise IssuerUnavailable("the issuer's answer can't be understood") from error
