"""Where a function is called over HTTP: who calls is believed first, and what goes wrong is told as a problem."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Self

from carapulse.bootstrap import App
from carapulse.bootstrap.believing import pushing
from carapulse.identity.errors import TokenMissing, TokenRefused
from carapulse.identity.tokens import TokenVerifier
from carapulse.kernel.errors import Denied, Invalid, Problem, TooLarge
from carapulse.observe import get_logger
from carapulse.runtime.cloudevents import read_cloud_event
from carapulse.runtime.problem import MEDIA_TYPE, body_of, headers_of

if TYPE_CHECKING:
    from flask import Request

Answer = tuple[str, int, dict[str, str]]
LARGEST: Final = 65_536
"""More than any message of ours needs, in bytes."""

_UNSIGNED: Final = ".SIGNATURE_REMOVED_BY_GOOGLE"

log = get_logger(__name__)


class NobodyMayCall(Denied):
    """The function takes nothing over HTTP: CARAPULSE_PUSH doesn't say who may call."""

    code = "nobody-may-call"


@dataclass(frozen=True, slots=True)
class Door:
    """Lets in who CARAPULSE_PUSH says; `tokens` tells whether it is Google, and is None where the network has to."""

    push: str
    tokens: TokenVerifier | None

    @classmethod
    def of(cls, app: App) -> Self:
        """Return the one of an installation; raises Invalid where a broker pushes and nobody said who may."""
        if app.settings.queue == "pubsub" and app.settings.push == "none":
            raise Invalid("Pub/Sub calls functions over HTTP: CARAPULSE_PUSH must say by what they know it")
        return cls(app.settings.push, pushing(app.settings, app.clock))

    def answer(self, request: "Request", work: Callable[["Request", bytes], None]) -> Answer:
        """Do the work that is asked for, if whoever asks may; everything but a problem stays loud."""
        try:
            self._believe(request.headers.get("Authorization", ""))
            work(request, _body_of(request))
        except Problem as problem:
            log.warning("call_refused", code=problem.code, detail=problem.detail, cause=repr(problem.__cause__))
            return json.dumps(body_of(problem)), problem.status, {"Content-Type": MEDIA_TYPE, **headers_of(problem)}
        return "", 204, {}

    def answer_tick(self, request: "Request", do: Callable[[], None]) -> Answer:
        """Do what a clock asks for; what it says besides is not read."""

        def tick(request: "Request", body: bytes) -> None:
            if self.push == "cloudevents":
                read_cloud_event(dict(request.headers), body)
            do()

        return self.answer(request, tick)

    def _believe(self, authorization: str) -> None:
        if self.push == "none":
            raise NobodyMayCall("nobody may call this function over HTTP")
        if self.tokens is None:
            return
        scheme, _, token = authorization.partition(" ")
        if scheme.lower() != "bearer" or not token:
            raise TokenMissing("a token of the service account that pushes is needed")
        if token.endswith(_UNSIGNED):
            raise TokenRefused("Cloud Run took the signature away: let it check nothing itself (invoker_iam_disabled)")
        if (fetch := self.tokens.wanted(token)) is not None:
            fetch.run()
        self.tokens.verify(token)


def _body_of(request: "Request") -> bytes:
    """Return the body, of which no more is read than can be a message of ours."""
    body = request.stream.read(LARGEST + 1)
    if len(body) > LARGEST:
        raise TooLarge("the body is larger than any message of ours", most_bytes=LARGEST)
    return body
