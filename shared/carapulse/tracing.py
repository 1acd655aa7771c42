"""W3C trace context: which request, message or task all of this belongs to (https://www.w3.org/TR/trace-context/)."""

import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Self

_TRACEPARENT = re.compile(r"([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?", re.ASCII)
_NO_TRACE = "0" * 32
_NO_SPAN = "0" * 16
_VERSION = "00"
_FORBIDDEN_VERSION = "ff"


@dataclass(frozen=True, slots=True)
class Trace:
    """One position in one trace: the id of the whole, the id of this part, and the sender's flags."""

    id: str
    span: str
    flags: str = "01"

    @classmethod
    def begin(cls) -> Self:
        """Return the first part of a new trace."""
        return cls(id=secrets.token_hex(16), span=secrets.token_hex(8))

    @classmethod
    def from_header(cls, traceparent: str | None) -> Self:
        """Return the next part of the caller's trace, or of a new one when the header is missing or not valid.

        The specification asks for a new trace rather than an error, so that a broken caller is still served.
        """
        found = _TRACEPARENT.fullmatch(traceparent or "")
        if not found or not _is_usable(*found.groups()):
            return cls.begin()
        return cls(id=found[2], span=secrets.token_hex(8), flags=found[4])

    @property
    def header(self) -> str:
        """The value of `traceparent` that names this part as the parent."""
        return f"{_VERSION}-{self.id}-{self.span}-{self.flags}"


def _is_usable(version: str, trace: str, span: str, _flags: str, rest: str | None) -> bool:
    if version == _FORBIDDEN_VERSION or (version == _VERSION and rest):
        return False
    return trace != _NO_TRACE and span != _NO_SPAN


_current: ContextVar[Trace | None] = ContextVar("trace", default=None)


def current_trace() -> Trace | None:
    """Return the trace that the running code belongs to, if it belongs to one."""
    return _current.get()


@contextmanager
def traced(trace: Trace) -> Iterator[Trace]:
    """Let everything inside belong to this trace, threads of the worker pool included."""
    token = _current.set(trace)
    try:
        yield trace
    finally:
        _current.reset(token)
