"""The fields of routes, whose validators are built before a route is served.

Records defer theirs until they are first used. The framework asks for one as part of a field whose alias means nothing
there, and keeps quiet about it only while it makes the field; built later, pydantic would warn amid a request.
"""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager

from fastapi._compat import ModelField
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute, RouteContext, iter_route_contexts
from pydantic.warnings import UnsupportedFieldAttributeWarning
from starlette.routing import BaseRoute


@contextmanager
def meaningless_aliases() -> Iterator[None]:
    """Let aliases be where they mean nothing."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", category=UnsupportedFieldAttributeWarning)
        yield


def build_validators(route: BaseRoute) -> None:
    """Build the validators of all that a route takes and gives."""
    with meaningless_aliases():
        for each in iter_route_contexts([route]):
            for field in _fields_of(each):
                field._type_adapter.rebuild()  # noqa: SLF001 - the framework has no word for it


def _fields_of(route: RouteContext) -> Iterator[ModelField]:
    if isinstance(route.original_route, APIRoute):
        yield from _given_to(route.dependant)
        found = [route.body_field, route.response_field, *route.response_fields.values()]
        yield from (each for each in found if each is not None)


def _given_to(dependant: Dependant) -> Iterator[ModelField]:
    yield from dependant.path_params
    yield from dependant.query_params
    yield from dependant.header_params
    yield from dependant.cookie_params
    yield from dependant.body_params
    for each in dependant.dependencies:
        yield from _given_to(each)
