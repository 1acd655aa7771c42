"""Server-sent events (WHATWG HTML, 9.2.6), read so that a lost connection loses nothing."""

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from http import HTTPStatus

import httpx

from carapulse.surfaces.cli.client import Api
from carapulse.surfaces.cli.errors import Unanswered

_TRIES = 5
_END = "end"


@dataclass(frozen=True, slots=True)
class ServerEvent:
    """One event of a stream: its id, its kind and its data as text."""

    id: str | None
    kind: str
    data: str


def parse(lines: Iterable[str]) -> Iterator[ServerEvent]:
    """Return the events in the lines of a stream; comments and what a broken stream left unfinished are dropped."""
    last_id: str | None = None
    kind, data = "", list[str]()
    for line in lines:
        if not line:
            if data:
                yield ServerEvent(last_id, kind or "message", "\n".join(data))
            kind, data = "", []
            continue
        name, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if name == "data":
            data.append(value)
        elif name == "event":
            kind = value
        elif name == "id" and "\0" not in value:
            last_id = value


def follow(api: Api, path: str, pause: Callable[[float], None] = time.sleep) -> Iterator[ServerEvent]:
    """Return the events of a stream until it says `end`, coming back behind the last one after each break.

    Raises Unanswered when several tries in a row bring nothing new.
    """
    after: str | None = None
    failures = 0
    while True:
        try:
            with api.stream(path, after) as response:
                if response.status_code == HTTPStatus.NO_CONTENT:
                    return
                for event in parse(response.iter_lines()):
                    after, failures = event.id or after, 0
                    yield event
                    if event.kind == _END:
                        return
        except httpx.TransportError as error:
            if failures >= _TRIES:
                raise Unanswered(f"the stream of {api.url} broke and could not be resumed: {error}") from error
        failures += 1
        if failures > _TRIES:
            raise Unanswered(f"the stream of {api.url} ends again and again without saying that it is over")
        pause(min(0.2 * 2**failures, 5.0))
