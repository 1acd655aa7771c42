"""What the contract refuses of a parameter the program refuses, too; there, numbers and flags are spelled as in JSON."""

import json
import re
from typing import Any

import pytest
from docs.http import make_http
from fastapi.routing import APIRoute
from jsonschema_rs import Draft202012Validator
from pydantic import BaseModel
from tests.builders.contract import CONTRACT

from carapulse.runtime.http.contract import routes_of
from carapulse.runtime.http.fields import meaningless_aliases

ROUTES = {
    f"{method} {route.path_format}": route.original_route.dependant
    for route in routes_of(make_http())
    if isinstance(route.original_route, APIRoute)
    for method in route.methods or ()
}
PARTS = {name: each for name, each in CONTRACT["components"].items() if name == "schemas"}
TEXTS = [
    *("", " ", "x", "null", "none", "true", "false", "True", "on", "off", "yes", "no", "t", "n", "0", "1", "2", "-1"),
    *("+1", "1_0", " 1", "1 ", "\u0661", "01", "1.0", "1e1", "0x1", "9" * 30, "x" * 5000, "2026-11-28", "\n"),
    *("2026-11-28T08:00:00Z", "2026-11-28T08:00:00", "1764316800"),
]
JSON = re.compile(r"-?(0|[1-9][0-9]*)|true|false", re.ASCII)
REQUIRED = {"service": "hall", "reason": "x", "format": "csv"}


def fields_of(dependant):
    yield from ((field, "path") for field in dependant.path_params)
    yield from ((field, "query") for field in dependant.query_params)
    yield from ((field, "header") for field in dependant.header_params)
    for each in dependant.dependencies:
        yield from fields_of(each)


def takers_of(dependant):
    """Return, for each place and name of a parameter, what says whether the program takes a text there."""

    def takes(field, value):
        with meaningless_aliases():
            return not field.validate(value, {}, loc=("query",))[1]

    found = dict[tuple[str, str], Any]()
    for field, place in fields_of(dependant):
        kind = field.field_info.annotation
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            needed = {name: REQUIRED[name] for name, each in kind.model_fields.items() if each.is_required()}
            for name, each in kind.model_fields.items():
                given = each.alias or name
                is_list = '"array"' in json.dumps(kind.model_json_schema()["properties"][given])
                found[place, given] = lambda text, field=field, needed=needed, given=given, is_list=is_list: takes(
                    field, {**needed, given: [text] if is_list else text}
                )
        else:
            found[place, field.alias.lower()] = lambda text, field=field: takes(field, text)
    return found


def is_allowed(contract, text):
    spelled = [text, [text], *([json.loads(text)] if JSON.fullmatch(text) else [])]
    return any(map(contract.is_valid, spelled))


@pytest.mark.parametrize("name", ROUTES)
def test_what_the_contract_refuses_is_refused(name):
    method, _, path = name.partition(" ")
    operation = CONTRACT["paths"].get(path, {}).get(method.lower(), {})
    takers = takers_of(ROUTES[name])
    laxer = []
    for parameter in operation.get("parameters", ()):
        if parameter["name"] == "Idempotency-Key":  # not the framework's: tests/integration/idempotency
            continue
        if (method, parameter["name"]) == ("GET", "If-None-Match"):  # nor this, and nothing in it is refused
            continue
        place = parameter["in"], parameter["name"] if parameter["in"] != "header" else parameter["name"].lower()
        contract = Draft202012Validator({**parameter["schema"], "components": PARTS}, validate_formats=True)
        laxer += [(*place, text[:9]) for text in TEXTS if takers[place](text) and not is_allowed(contract, text)]

    assert laxer == []
