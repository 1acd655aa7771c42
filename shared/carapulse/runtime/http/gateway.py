"""The application behind API Gateway: Mangum, told what is text and that the edge already logs."""

import logging
from collections.abc import Callable, Iterable
from typing import Any

from fastapi import APIRouter, FastAPI
from fastapi.routing import APIRoute
from mangum import Mangum

_TEXT = ["text/", "application/json", "application/problem+json", "application/vnd.dsse.envelope.v1+json"]


def behind_gateway(app: FastAPI) -> Callable[[dict[str, Any], Any], dict[str, Any]]:
    """Return what answers one event of API Gateway with the application."""
    logging.getLogger("mangum").setLevel(logging.WARNING)
    return Mangum(app, text_mime_types=_TEXT)


def below(start: str, routers: Iterable[APIRouter]) -> list[APIRouter]:
    """Return what of these routers has an address that begins like this: a function that serves nothing else."""
    kept = APIRouter()
    for router in routers:
        kept.routes += [each for each in router.routes if isinstance(each, APIRoute) and each.path.startswith(start)]
    return [kept]
