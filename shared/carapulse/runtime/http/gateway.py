"""The application behind API Gateway: Mangum, told what is text and that the edge already logs."""

import logging
from collections.abc import Callable
from typing import Any

from fastapi import APIRouter, FastAPI
from fastapi.routing import APIRoute
from mangum import Mangum

from carapulse.runtime.http.lazily import Areas

_TEXT = ["text/", "application/json", "application/problem+json", "application/vnd.dsse.envelope.v1+json"]


def behind_gateway(app: FastAPI) -> Callable[[dict[str, Any], Any], dict[str, Any]]:
    """Return what answers one event of API Gateway with the application.

    There is no beginning that would load every area: what a request asks for is loaded, and nothing else.
    """
    logging.getLogger("mangum").setLevel(logging.WARNING)
    return Mangum(app, lifespan="off", text_mime_types=_TEXT)


def below(start: str, areas: Areas) -> list[APIRouter]:
    """Return what of the area there has an address that begins like this: a function that serves nothing else.

    Raises ValueError where there is no such address.
    """
    area, kept = areas.owner(start), APIRouter()
    routes = [] if area is None else area.load().routes
    kept.routes += [each for each in routes if isinstance(each, APIRoute) and each.path.startswith(start)]
    if not kept.routes:
        raise ValueError(f"there is nothing below {start}")
    return [kept]
