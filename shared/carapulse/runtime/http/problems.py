"""Every error as one shape: application/problem+json (RFC 9457)."""

from collections.abc import Mapping, Sequence
from http import HTTPStatus

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from carapulse.kernel.errors import Problem, Unavailable
from carapulse.observe import get_logger
from carapulse.runtime.http.errors import MethodNotAllowed, NoSuchRoute, Refused, RequestInvalid
from carapulse.runtime.http.faults import faults_of
from carapulse.runtime.http.refusing import tell
from carapulse.runtime.problem import MEDIA_TYPE, body_of, headers_of

log = get_logger(__name__)


def respond(
    problem: Problem, errors: Sequence[dict[str, str]] = (), headers: Mapping[str, str] | None = None
) -> JSONResponse:
    """Return the answer that tells a caller about a problem."""
    if isinstance(problem, Unavailable) and problem.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        log.warning("request_not_served", code=problem.code, detail=problem.detail, cause=repr(problem.__cause__))
    content = body_of(problem, errors)
    return JSONResponse(content, problem.status, {**headers_of(problem), **(headers or {})}, media_type=MEDIA_TYPE)


async def answer_problem(request: Request, error: Exception) -> JSONResponse:
    """Translate a problem that a use case raised; a refusal is told first."""
    if not isinstance(error, Problem):
        raise error
    await tell(error, request.scope)
    return respond(error)


async def answer_invalid(_request: Request, error: Exception) -> JSONResponse:
    """Translate a request that doesn't fit the route's types."""
    if not isinstance(error, RequestValidationError):
        raise error
    errors = faults_of(error)
    where = "1 place" if len(errors) == 1 else f"{len(errors)} places"
    return respond(RequestInvalid(f"the request is wrong in {where}"), errors)


async def answer_framework(_request: Request, error: Exception) -> JSONResponse:
    """Translate what the framework itself refuses: no such route, wrong method."""
    if not isinstance(error, HTTPException):
        raise error
    if error.status_code == NoSuchRoute.status:
        return respond(NoSuchRoute("there is nothing under this path"))
    if error.status_code == MethodNotAllowed.status:
        return respond(MethodNotAllowed("this path doesn't answer to this method"), headers=error.headers)
    return respond(Refused("the request could not be understood"), headers=error.headers)
