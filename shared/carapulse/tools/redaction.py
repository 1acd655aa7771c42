"""Redaction: no secret leaves a tool. Known values, known keys and what looks like a secret are blanked out."""

import base64
import json
import re
from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import quote, quote_plus

REDACTED = "[redacted]"
_SHORTEST = 4
_KEYS = frozenset(
    {"password", "passwd", "secret", "token", "client_token", "secret_id", "jwt", "authorization", "private_key",
     "access_key", "secret_key", "api_key", "apikey", "client_secret", "secret_access_key", "session_token"}
)  # fmt: skip
_WHOLE = re.compile(
    r"-----BEGIN [A-Z ]{0,30}PRIVATE KEY-----.*?(?:-----END [A-Z ]{0,30}PRIVATE KEY-----|\Z)"
    r"|\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]*"
    r"|\b(?:AKIA|ASIA)[0-9A-Z]{16}\b"
    r"|\bgh[pousr]_[A-Za-z0-9]{20,}|\bglpat-[A-Za-z0-9_-]{16,}|\bxox[abeoprs]-[A-Za-z0-9-]{10,}"
    r"|(?<=://)[^/\s@]{1,500}(?=@)"
    r"|\b(?:hv[sbr]|[sbr])\.[A-Za-z0-9_-]{20,}",
    re.DOTALL,
)
_AFTER = re.compile(
    r"(?P<before>\b(?:bearer|basic)\s+"
    r"|\b[A-Za-z0-9_-]{0,40}(?:password|passwd|secret|token|api[_-]?key|access[_-]?key)[\"']?\s*[=:]\s*[\"']?)"
    r"(?P<secret>[^\s\"'@,;&]{4,})",
    re.IGNORECASE,
)
_PEM_BEGIN = re.compile(r"-----BEGIN [A-Z ]{0,30}PRIVATE KEY-----")
_PEM_END = re.compile(r"-----END [A-Z ]{0,30}PRIVATE KEY-----")


class Redactor:
    """Blanks out secrets in texts, lines and JSON values."""

    def __init__(self, secrets: Iterable[str] = (), keys: Iterable[str] = ()) -> None:
        self._keys = _KEYS | {key.lower() for key in keys}
        forms = {form for secret in secrets if len(secret) >= _SHORTEST for form in _forms(secret)}
        longest_first = sorted(forms, key=len, reverse=True)
        self._known = re.compile("|".join(map(re.escape, longest_first))) if longest_first else None

    def text(self, text: str) -> str:
        """Return the text without secrets."""
        if self._known:
            text = self._known.sub(REDACTED, text)
        return _AFTER.sub(lambda found: found["before"] + REDACTED, _WHOLE.sub(REDACTED, text))

    def value(self, value: Any) -> Any:  # noqa: ANN401 - any JSON value
        """Return the JSON value without secrets, and without anything under a key that names one."""
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, list):
            return [self.value(item) for item in value]
        if isinstance(value, dict):
            return {key: self._under(key, item) for key, item in value.items()}
        return value

    def lines(self, on_line: Callable[[str], None]) -> Callable[[str], None]:
        """Return a listener that passes lines on without secrets, private keys of many lines included."""
        inside = False

        def listen(line: str) -> None:
            nonlocal inside
            hidden = inside or _PEM_BEGIN.search(line) is not None
            inside = hidden and _PEM_END.search(line) is None
            on_line(REDACTED if hidden else self.text(line))

        return listen

    def _under(self, key: str, item: Any) -> Any:  # noqa: ANN401 - any JSON value
        if key.lower() in self._keys and isinstance(item, str | int | float | list | dict) and item not in ("", {}, []):
            return item if isinstance(item, bool) or _is_reference(item) else REDACTED
        return self.value(item)


def _is_reference(item: Any) -> bool:  # noqa: ANN401 - any JSON value
    return (
        isinstance(item, dict)
        and item.keys() == {"secret"}
        and str(item["secret"]).startswith(("env:", "file:", "aws:", "gcp:", "vault:"))
    )


def _forms(secret: str) -> set[str]:
    plain = {secret, secret.strip(), quote(secret, safe=""), quote_plus(secret), json.dumps(secret)[1:-1]}
    encoded = base64.b64encode(secret.encode()).decode()
    return {form for form in plain | {encoded, encoded.rstrip("=")} if len(form) >= _SHORTEST}
