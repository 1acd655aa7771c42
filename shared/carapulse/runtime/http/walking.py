"""A shorter way through a route than the framework's, which costs more than most of what routes do.

At each request the framework walks through a tree of dependencies and looks at each for parameters, bodies and scopes
that it might have; then it has the answer's type checked in a second thread. Here, what a route depends on that takes
nothing but the request is a list of calls, made once; and the thread that runs the route also spells its answer.
What takes parameters or a body stays the framework's.
"""

import inspect
from collections.abc import Callable
from dataclasses import dataclass, replace
from http import HTTPStatus
from typing import Any, Final, cast

from fastapi import Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.datastructures import DefaultPlaceholder
from fastapi.dependencies.models import Dependant
from fastapi.exceptions import ResponseValidationError
from fastapi.routing import RouteContext, get_request_handler, request_response
from fastapi.utils import is_body_allowed_for_status_code
from starlette.types import ASGIApp

_ASKED: Final = "asked_by"
_WALKED: Final = "carapulse_walked"
_PARAMETERS: Final = ("path_params", "query_params", "header_params", "cookie_params", "body_params")
_UNUSUAL: Final = ("websocket_param_name", "background_tasks_param_name", "security_scopes_param_name", "concurrency")
_CHOSEN: Final = tuple(
    f"response_model_{each}" for each in ("include", "exclude", "exclude_unset", "exclude_defaults", "exclude_none")
)


@dataclass(frozen=True, slots=True)
class _Step:
    """One call: what it takes of the calls before it, and under which names it takes the request and the answer."""

    call: Callable[..., Any]
    takes: tuple[tuple[str, Callable[..., Any]], ...]
    request: tuple[str, ...]
    response: str | None

    def arguments(self, given: dict[Any, Any], request: Request, response: Response) -> dict[str, Any]:
        """Return what it is called with."""
        arguments = {name: given[call] for name, call in self.takes}
        for name in self.request:
            arguments[name] = request
        if self.response is not None:
            arguments[self.response] = response
        return arguments


@dataclass(frozen=True, slots=True)
class _Short:
    """A route: what comes before it, in order, and how its answer is spelled."""

    before: tuple[_Step, ...]
    itself: _Step
    spelled: Any
    status: int | None

    async def walk(self, request: Request) -> None:
        """Make the calls that come before the route, each once."""
        response, given = Response(), dict[Any, Any]()
        del response.headers["content-length"]
        response.status_code = cast("int", None)  # as the framework says that nobody has chosen one
        for step in self.before:
            given[step.call] = await step.call(**step.arguments(given, request, response))
        request.scope[_WALKED] = self.itself.arguments(given, request, response), response

    async def carry_out(self, **parameters: Any) -> Response:  # noqa: ANN401 - whatever the route takes
        """Run the route in a thread."""
        arguments, response = parameters.pop(_ASKED).scope[_WALKED]
        return await run_in_threadpool(self._answer, arguments | parameters, response)

    def _answer(self, arguments: dict[str, Any], response: Response) -> Response:
        found = self.itself.call(**arguments)
        if isinstance(found, Response):
            return found
        value, errors = self.spelled.validate(found, {}, loc=("response",))
        if errors:
            raise ResponseValidationError(errors=errors, body=found)
        status = response.status_code or self.status or HTTPStatus.OK
        content = self.spelled.serialize_json(value) if is_body_allowed_for_status_code(status) else b""
        answer = Response(content, status, media_type="application/json")
        answer.headers.raw.extend(response.headers.raw)
        return answer


def short_of(context: RouteContext) -> ASGIApp | None:
    """Return an application that does what the route's own does, or None if the route is of no simple kind."""
    whole: Dependant = context.dependant
    before, rest = _divided(whole.dependencies)
    if not _is_simple(context) or any(not _is_for_framework(each) for each in rest):
        return None
    own = _step_of(replace(whole, dependencies=[each for each in whole.dependencies if each not in rest]))
    short = _Short(tuple(before), own, context.response_field, context.status_code)
    handler = get_request_handler(
        replace(
            whole,
            call=short.carry_out,
            dependencies=rest,
            request_param_name=_ASKED,
            http_connection_param_name=None,
            response_param_name=None,
        ),
        context.body_field,
        embed_body_fields=context._embed_body_fields,  # noqa: SLF001 - the framework has no other name for it
        strict_content_type=context.strict_content_type,
    )

    async def serve(request: Request) -> Response:
        await short.walk(request)
        return await handler(request)

    return request_response(serve)


def _is_simple(context: RouteContext) -> bool:
    """Say whether a route is a function that gives one value, which is spelled in JSON as its type says."""
    is_function = inspect.isfunction(context.endpoint) and not (
        inspect.iscoroutinefunction(context.endpoint) or inspect.isgeneratorfunction(context.endpoint)
    )
    is_json = isinstance(context.response_class, DefaultPlaceholder) and context.response_field is not None
    is_usual = context.stream_item_field is None and not any(getattr(context, each) for each in _CHOSEN)
    return is_function and is_json and is_usual and _is_usual(context.dependant)


def _divided(dependencies: list[Dependant]) -> tuple[list[_Step], list[Dependant]]:
    """Return the steps of what takes nothing but the request, each once and in order; and what is left."""
    steps, rest = dict[Callable[..., Any], _Step](), list[Dependant]()
    for each in dependencies:
        found = _steps_of(each)
        if found is None:
            rest.append(each)
        else:
            for step in found:
                steps.setdefault(step.call, step)
    return list(steps.values()), rest


def _steps_of(dependant: Dependant) -> list[_Step] | None:
    """Return a dependency's calls, its own last; None if the framework has to find something out for one of them."""
    takes_parameters = any(getattr(dependant, each) for each in _PARAMETERS)
    if takes_parameters or not (_is_usual(dependant) and dependant.use_cache and _is_coroutine(dependant.call)):
        return None
    steps = list[_Step]()
    for each in dependant.dependencies:
        found = _steps_of(each)
        if found is None:
            return None
        steps += found
    return [*steps, _step_of(dependant)]


def _step_of(dependant: Dependant) -> _Step:
    takes = [(each.name, each.call) for each in dependant.dependencies if each.name is not None and each.call]
    names = (dependant.request_param_name, dependant.http_connection_param_name)
    call = cast("Callable[..., Any]", dependant.call)
    return _Step(call, tuple(takes), tuple(filter(None, names)), dependant.response_param_name)


def _is_for_framework(dependant: Dependant) -> bool:
    """Say whether the framework may see to it later: nothing is refused out of turn, and no call is made twice."""
    return dependant.name is not None and not dependant.dependencies and dependant.response_param_name is None


def _is_usual(dependant: Dependant) -> bool:
    return not any(getattr(dependant, each) for each in _UNUSUAL)


def _is_coroutine(call: Callable[..., Any] | None) -> bool:
    return inspect.iscoroutinefunction(call) or inspect.iscoroutinefunction(getattr(call, "__call__", None))  # noqa: B004
