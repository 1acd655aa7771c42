"""Which methods an address answers to.

A verb behind a colon is a resource of its own: `/v1/plans/{plan_id}:execute` is not a plan whose id ends like that. The
framework takes a colon for a part of a name, and tells only the methods of the first route that it finds.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from carapulse.runtime.http.errors import MethodNotAllowed
from carapulse.runtime.http.paths import path_of
from carapulse.runtime.http.problems import respond

MethodsAt = Callable[[str], frozenset[str]]
"""What an address answers to; nothing where there is none."""

_VERB: Final = re.compile(r"\}:[a-z-]+$")
_NAME: Final = re.compile(r"\\\{\w+\\\}")
_REST: Final = re.compile(r"\\\{\w+:path\\\}")
_NOT_ALLOWED: Final = 405


class Methods:
    """A pattern for each path, those with verbs first, and all that it answers to."""

    def __init__(self, patterns: Mapping[re.Pattern[str], frozenset[str]]) -> None:
        self._patterns = patterns

    def at(self, path: str) -> frozenset[str]:
        """Return what an address answers to; nothing where there is none."""
        return next((methods for pattern, methods in self._patterns.items() if pattern.fullmatch(path)), frozenset())


def addresses_of(routes: Iterable[tuple[str, frozenset[str]]]) -> Methods:
    """Return what each path answers to: HEAD wherever GET is."""
    found: dict[str, frozenset[str]] = {}
    for path, methods in routes:
        found[path] = found.get(path, frozenset()) | methods | ({"HEAD"} if "GET" in methods else frozenset())
    ordered = sorted(found, key=lambda path: ("{" in path, _VERB.search(path) is None))
    return Methods({_pattern_of(path): found[path] for path in ordered})


def _pattern_of(path: str) -> re.Pattern[str]:
    return re.compile(_NAME.sub("[^/]+", _REST.sub(".+", re.escape(path))))


class Verbs:
    """Answers 405 to methods that an address doesn't have, and says which it has."""

    def __init__(self, app: ASGIApp, methods_at: MethodsAt) -> None:
        self._app = app
        self._methods_at = methods_at

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let the request through, unless its path is a verb's and its method is not."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        path = path_of(scope)
        is_verb = ":" in path.rpartition("/")[2]
        if is_verb and scope["method"] not in (allowed := self._methods_at(path)) and allowed:
            await _refusal(allowed)(scope, receive, send)
            return

        async def pass_on(message: Message) -> None:
            if message["type"] == "http.response.start" and message["status"] == _NOT_ALLOWED:
                allow = ("allow", ", ".join(sorted(self._methods_at(path))))
                kept = [(name, value) for name, value in message["headers"] if name != b"allow"]
                message = {**message, "headers": [*kept, tuple(each.encode() for each in allow)]}
            await send(message)

        await self._app(scope, receive, pass_on)


def _refusal(allowed: frozenset[str]) -> ASGIApp:
    problem = MethodNotAllowed("this path doesn't answer to this method")
    return respond(problem, headers={"Allow": ", ".join(sorted(allowed))})
