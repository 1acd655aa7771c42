"""What the routes promise: each is guarded, takes only parameters it knows, and is described in OpenAPI 3.1."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from copy import deepcopy
from typing import Any, get_args, get_origin

from fastapi import FastAPI
from fastapi.dependencies.models import Dependant
from fastapi.openapi.utils import get_openapi
from fastapi.requests import HTTPConnection
from fastapi.routing import APIRoute, APIWebSocketRoute, RouteContext, iter_route_contexts
from pydantic import BaseModel
from starlette.routing import BaseRoute

from carapulse.conditions import this_tag
from carapulse.idempotency.model import HEADER, PATTERN, REPLAYED
from carapulse.paging import these_pages
from carapulse.routing import Needs, StartsWork
from carapulse.runtime.http.errors import RequestInvalid
from carapulse.runtime.http.fields import meaningless_aliases
from carapulse.runtime.http.gate import may_carry_key
from carapulse.runtime.http.media import negotiate
from carapulse.runtime.http.paths import GUARDED, SIGNED
from carapulse.runtime.problem import MEDIA_TYPE
from carapulse.waiting import patience_of

_PROBLEM = "#/components/schemas/Problem"
PROBLEM_SCHEMA: Mapping[str, Any] = {
    "title": "Problem",
    "description": "What went wrong (RFC 9457). Further members are facts about this occurrence.",
    "type": "object",
    "required": ["type", "title", "status", "detail", "code", "trace_id", "errors"],
    "properties": {
        "type": {"type": "string", "format": "uri", "description": "the kind of problem"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "code": {"type": "string", "description": "stable; programs decide by it"},
        "trace_id": {"type": ["string", "null"], "description": "name it when you ask for help"},
        "errors": {"type": "array", "items": {"$ref": "#/components/schemas/ProblemPlace"}},
    },
}
PLACE_SCHEMA: Mapping[str, Any] = {
    "title": "ProblemPlace",
    "description": "One thing wrong: a JSON pointer into the body, or the name of a parameter.",
    "type": "object",
    "required": ["code", "detail"],
    "properties": {name: {"type": "string"} for name in ("pointer", "parameter", "code", "detail")},
}
_KEY_SCHEMA: Mapping[str, Any] = {
    "name": HEADER,
    "in": "header",
    "description": (
        "The same key with the same request gets the answer of the first, also after a lost connection; the request is"
        " carried out once. Choose a new one, such as a UUID, for each request."
    ),
    "schema": {"type": "string", "pattern": PATTERN},
    "example": "8e03978e-40d5-43dd-bc93-6894a57f9324",
}
HEADERS: Mapping[str, Any] = {
    "ETag": {
        "description": "How the thing is, for `If-Match` and `If-None-Match`; of what is new, as it is found there",
        "schema": {"type": "string"},
    },
    "Location": {
        "description": "Where the thing is found from now on",
        "schema": {"type": "string", "format": "uri-reference"},
    },
    "Link": {
        "description": 'Where the next page is, as `rel="next"`; absent on the last one',
        "schema": {"type": "string"},
    },
    "Preference-Applied": {
        "description": "What was done of `Prefer`; absent if nothing was",
        "schema": {"type": "string"},
    },
    REPLAYED: {
        "description": "`true` if this is the answer that the first request with this key got",
        "schema": {"type": "string"},
    },
    "traceparent": {
        "description": "The W3C trace context of the request, which is the caller's own if it sent one",
        "schema": {"type": "string"},
    },
    "RateLimit": {
        "description": "How many requests are left, and in how many seconds all are; absent if nobody counted",
        "schema": {"type": "string"},
    },
    "RateLimit-Policy": {
        "description": "How many requests there may be, and in how many seconds; absent if nobody counted",
        "schema": {"type": "string"},
    },
    "Retry-After": {
        "description": "After how many seconds it is worth trying again; absent if it isn't known, or won't help",
        "schema": {"type": "integer", "minimum": 0},
    },
}
_KNOWN_SCHEMA: Mapping[str, Any] = {
    "name": "If-None-Match",
    "in": "header",
    "required": False,
    "description": "The `ETag` of what the caller has, or `*`: if that is what there is, the answer is 304",
    "schema": {"type": "string"},
}
_UNCHANGED: Mapping[str, Any] = {
    "description": "What the caller has is what there is",
    "headers": {"ETag": {"$ref": "#/components/headers/ETag"}},
}
_COUNTED = ("RateLimit", "RateLimit-Policy")
_ANSWER = {"description": "A problem", "content": {MEDIA_TYPE: {"schema": {"$ref": _PROBLEM}}}}
PROBLEM_ANSWERS: dict[int | str, dict[str, Any]] = {"4XX": _ANSWER, "5XX": _ANSWER}


class UnguardedRoute(Exception):  # noqa: N818 - named for what was found
    """A route under /v1 that nobody protects; the program must not start with it."""


class RoutesBehind(BaseRoute):
    """A route that stands for others, which it can tell."""

    def load(self) -> Sequence[BaseRoute]:
        """Return the routes that it stands for."""
        raise NotImplementedError


def routes_of(app: FastAPI) -> list[RouteContext]:
    """Return every route that an application serves, with what holds for it; loads what is not loaded yet."""
    return list(iter_route_contexts(_unfolded(app.routes)))


def _unfolded(routes: Iterable[BaseRoute]) -> list[BaseRoute]:
    return [
        each for route in routes for each in (_unfolded(route.load()) if isinstance(route, RoutesBehind) else [route])
    ]


def check_guards(routes: Sequence[BaseRoute]) -> None:
    """Return if every route under /v1 needs a permission or is a signed webhook, or raise UnguardedRoute."""
    for path, permissions in _guards_in(iter_route_contexts(_unfolded(routes))):
        if path.startswith(GUARDED) and not path.startswith(SIGNED) and not permissions:
            raise UnguardedRoute(path)


def guards_of(app: FastAPI) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Yield each path that is served with the permissions that it needs."""
    return _guards_in(routes_of(app))


def _guards_in(routes: Iterable[RouteContext]) -> Iterator[tuple[str, tuple[str, ...]]]:
    for route in routes:
        given = route.dependencies if isinstance(route.original_route, (APIRoute, APIWebSocketRoute)) else ()
        needed = (each.dependency for each in given)
        yield route.path or "", tuple(need.permission for need in needed if isinstance(need, Needs))


def needs_of(app: FastAPI) -> Iterator[tuple[str, str, str]]:
    """Yield each path and method of the contract that needs a permission, and which."""
    for route in routes_of(app):
        if not isinstance(route.original_route, APIRoute):
            continue
        for needed in (each.dependency for each in route.dependencies):
            if isinstance(needed, Needs):
                path = route.path_format or ""
                yield from ((path, method.lower(), needed.permission) for method in route.methods or ())


def methods_of(routes: Sequence[BaseRoute]) -> Iterator[tuple[str, frozenset[str]]]:
    """Yield each path of these routes with methods that it answers to."""
    for route in iter_route_contexts(_unfolded(routes)):
        yield route.path or "", frozenset(route.methods or ())


def keys_of(app: FastAPI) -> Mapping[str, bool]:
    """Return each path that takes an idempotency key when it is asked by POST, and whether it must have one."""
    found = {}
    for route in routes_of(app):
        path = route.path_format or ""
        if isinstance(route.original_route, APIRoute) and "POST" in (route.methods or ()) and may_carry_key(path):
            found[path] = any(isinstance(each.dependency, StartsWork) for each in route.dependencies)
    return found


async def refuse_unfit(request: HTTPConnection) -> None:
    """Return if the caller takes what the route gives, and the route knows every query parameter."""
    await negotiate(request)
    await refuse_unknown_parameters(request)


async def refuse_unknown_parameters(request: HTTPConnection) -> None:
    """Return if the route knows every query parameter, or raise RequestInvalid: no misspelt filter selects all.

    And none is given twice that means one thing: of two the last would have silently won.

    A WebSocket's are not in the document; its route reads them by itself, as strictly.
    """
    if not request.query_params or request.scope["type"] == "websocket":
        return
    known = query_parameters_of(request.scope["route"].dependant)
    if unknown := sorted(set(request.query_params) - known.keys()):
        raise RequestInvalid("the route doesn't know these query parameters", unknown=unknown, known=sorted(known))
    given = Counter(name for name, _ in request.query_params.multi_items())
    if twice := sorted(name for name, times in given.items() if times > 1 and not known[name]):
        raise RequestInvalid("the route takes each of these query parameters once", twice=twice)


def query_parameters_of(dependant: Dependant) -> dict[str, bool]:
    """Return the query parameters that a route takes, by itself and through what it depends on: whether it takes many.

    They are read from the route, for making the whole description takes more than a second.
    """
    known = dict[str, bool]()
    for field in dependant.query_params:
        kind = field.field_info.annotation
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            fields = kind.model_fields.items()
            known |= {each.alias or name: _takes_many(each.annotation) for name, each in fields}
        else:
            known[field.alias] = _takes_many(kind)
    for each in map(query_parameters_of, dependant.dependencies):
        known |= each
    return known


def _takes_many(kind: object) -> bool:
    return get_origin(kind) in {list, tuple, frozenset} or any(map(_takes_many, get_args(kind)))


def _operations(app: FastAPI, marked_by: Callable[..., Any]) -> Iterator[tuple[str, str]]:
    """Yield each path and method of the contract whose route depends on something."""
    for route in routes_of(app):
        if isinstance(route.original_route, APIRoute) and _depends(route.original_route.dependant, marked_by):
            yield from ((route.path_format or "", method.lower()) for method in route.methods or ())


def _depends(dependant: Dependant, on: Callable[..., Any]) -> bool:
    return dependant.call is on or any(_depends(each, on) for each in dependant.dependencies)


def _name_headers(answers: dict[str, Any], *names: str, among: Sequence[str] = ("200", "201", "202", "204")) -> None:
    for status in set(among) & answers.keys():
        headers = answers[status].setdefault("headers", {})
        headers.update({name: {"$ref": f"#/components/headers/{name}"} for name in names})


def _tell_of_every_answer(answers: dict[str, Any], *, is_counted: bool) -> None:
    _name_headers(answers, "traceparent", *(_COUNTED if is_counted else ()), among=tuple(answers))
    _name_headers(answers, "Retry-After", among=("4XX", "5XX"))


def _tell_of_tags(operation: dict[str, Any], method: str) -> None:
    answers = operation["responses"]
    _name_headers(answers, "ETag", among=("200", "201", "202"))
    _name_headers(answers, "Location", among=("201", "202"))
    if method == "get":
        operation.setdefault("parameters", []).append(dict(_KNOWN_SCHEMA))
        answers["304"] = deepcopy(dict(_UNCHANGED))


def _document(app: FastAPI) -> dict[str, Any]:
    with meaningless_aliases():
        return get_openapi(
            title=app.title,
            version=app.version,
            openapi_version="3.1.0",
            description=app.description,
            routes=_unfolded(app.routes),
        )


def describe(app: FastAPI) -> dict[str, Any]:
    """Return the OpenAPI document, made once."""
    if app.openapi_schema is None:
        document = _document(app)
        schemas = document.setdefault("components", {}).setdefault("schemas", {})
        schemas.update(Problem=dict(PROBLEM_SCHEMA), ProblemPlace=dict(PLACE_SCHEMA))
        document["components"]["headers"] = {name: dict(said) for name, said in HEADERS.items()}
        for path, method in _operations(app, this_tag):
            _tell_of_tags(document["paths"][path][method], method)
        for mark, name in ((these_pages, "Link"), (patience_of, "Preference-Applied")):
            for path, method in _operations(app, mark):
                _name_headers(document["paths"][path][method]["responses"], name)
        for path, method, permission in needs_of(app):
            document["paths"][path][method]["x-permission"] = permission
        for path, is_required in keys_of(app).items():
            parameters = document["paths"][path]["post"].setdefault("parameters", [])
            parameters.append({**_KEY_SCHEMA, "required": is_required})
            _name_headers(document["paths"][path]["post"]["responses"], REPLAYED)
        for path, operations in document["paths"].items():
            for operation in operations.values():
                _tell_of_every_answer(operation["responses"], is_counted=path.startswith(GUARDED))
        app.openapi_schema = document
    return app.openapi_schema


def operation_id(route: APIRoute) -> str:
    """Return the name of a route in the document."""
    return "_".join([*(str(tag) for tag in route.tags), route.name])
