"""A problem as those see it who ask over HTTP: the members and headers of application/problem+json (RFC 9457)."""

from collections.abc import Sequence
from typing import Any, Final

from pydantic_core import to_jsonable_python

from carapulse.identity.errors import TokenMissing
from carapulse.kernel.errors import Problem, TooLarge, Unauthenticated
from carapulse.tracing import current_trace

MEDIA_TYPE: Final = "application/problem+json"
TYPE: Final = "https://carapulse.dev/problems/{code}"
_RETRY_AFTER: Final = 5


def body_of(problem: Problem, errors: Sequence[dict[str, str]] = ()) -> dict[str, Any]:
    """Return the members of the body."""
    trace = current_trace()
    facts: dict[str, Any] = to_jsonable_python(problem.facts, fallback=str, inf_nan_mode="constants")
    return {
        **facts,
        "type": TYPE.format(code=problem.code),
        "title": problem.code.replace("-", " ").capitalize(),
        "status": int(problem.status),
        "detail": problem.detail,
        "code": problem.code,
        "trace_id": trace.id if trace else None,
        "errors": [*(fault.model_dump() for fault in problem.faults), *errors],
    }


def headers_of(problem: Problem) -> dict[str, str]:
    """Return the headers that belong to it, without the media type."""
    headers = {"Cache-Control": "no-store"}
    if isinstance(problem, TokenMissing):
        headers["WWW-Authenticate"] = 'Bearer realm="carapulse"'
    elif isinstance(problem, Unauthenticated):
        headers["WWW-Authenticate"] = 'Bearer realm="carapulse", error="invalid_token"'
    if problem.retryable:
        headers["Retry-After"] = str(problem.facts.get("retry_after", _RETRY_AFTER))
    if isinstance(problem, TooLarge):
        headers["Connection"] = "close"
    return headers
