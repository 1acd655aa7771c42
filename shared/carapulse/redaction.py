"""Redaction: the one place that decides what never leaves the program in clear text."""

import re
from collections.abc import Mapping
from typing import Any

HIDDEN = "[redacted]"

_DEEPEST = 12
_LONGEST = 16_384
_SECRET_KEY = re.compile(
    r"secret|token|passw(or)?d|passphrase|authorization|credential|cookie|api[-_]?key|private[-_]?key|access[-_]?key|signature",
    re.IGNORECASE,
)
_PEM = re.compile(r"-----BEGIN [A-Z0-9 ]+-----.*?(?:-----END [A-Z0-9 ]+-----|\Z)", re.DOTALL)
_JWT = re.compile(r"\beyJ[\w-]{4,}\.[\w-]{2,}(?:\.[\w-]*)?")
_SCHEME = re.compile(r"\b(bearer\s+|basic\s+(?=[\w+/=]{8}))[^\s,;\"']+", re.IGNORECASE)
_URL_CREDENTIALS = re.compile(r"\b([a-z][a-z0-9+.-]*://)[^\s/?#@\"']+@", re.IGNORECASE)
_KNOWN_TOKEN = re.compile(
    r"\b(?:AKIA|ASIA)[A-Z0-9]{16}\b|\bgh[pousr]_\w{20,}|\bgithub_pat_\w{20,}|\bglpat-[\w-]{16,}"
    r"|\bhv[sbr]\.[\w-]{16,}|\bxox[abprs]-[\w-]{10,}|\bwhsec_[\w+/=]{16,}|\bwhpath_\w{16,}|\bcpk_\w{8,}[\w-]*"
)
_ASSIGNMENT = re.compile(
    r"((?:secret|token|passw(?:or)?d|passphrase|api[-_]?key|private[-_]?key|access[-_]?key|signature)[\w-]*[\"']?\s*[=:]\s*)"
    r"(\"[^\"]*\"|'[^']*'|[^\s,;&\"']+)",
    re.IGNORECASE,
)


def redacted(value: Any, depth: int = 0) -> Any:  # noqa: ANN401 - any value that may be logged or shown
    """Return the value as JSON, with secrets replaced; what is not JSON becomes its text first."""
    if value is None or isinstance(value, bool | int | float):
        return value
    if depth >= _DEEPEST:
        return "[too deep]"
    if isinstance(value, Mapping):
        return {str(key): _of_key(str(key), each, depth) for key, each in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [redacted(each, depth + 1) for each in value]
    return redacted_text(value if isinstance(value, str) else str(value))


def redacted_text(text: str) -> str:
    """Return the text with everything that looks like a secret replaced."""
    shortened = text if len(text) <= _LONGEST else f"{text[:_LONGEST]}[{len(text) - _LONGEST} more characters]"
    hidden = _PEM.sub(HIDDEN, shortened)
    hidden = _JWT.sub(HIDDEN, hidden)
    hidden = _KNOWN_TOKEN.sub(HIDDEN, hidden)
    hidden = _SCHEME.sub(rf"\1{HIDDEN}", hidden)
    hidden = _URL_CREDENTIALS.sub(rf"\1{HIDDEN}@", hidden)
    return _ASSIGNMENT.sub(rf"\1{HIDDEN}", hidden)


def _of_key(key: str, value: Any, depth: int) -> Any:  # noqa: ANN401 - as redacted
    if _SECRET_KEY.search(key) and not isinstance(value, bool | type(None)):
        return HIDDEN
    return redacted(value, depth + 1)
