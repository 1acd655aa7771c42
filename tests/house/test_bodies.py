"""What the contract refuses of a body the program refuses, too: it may ask for more, and never makes do with less."""

import copy
from itertools import product

import pytest
from docs.http import make_http
from fastapi.routing import APIRoute
from jsonschema_rs import Draft202012Validator
from tests.builders.contract import CONTRACT
from tests.builders.documents import with_another

from carapulse.runtime.http.contract import routes_of
from carapulse.runtime.http.fields import meaningless_aliases

BODIES = {
    f"{method} {route.path_format}": route.original_route.body_field
    for route in routes_of(make_http())
    if isinstance(route.original_route, APIRoute) and route.original_route.body_field is not None
    for method in route.methods or ()
}
SPACE = " " * 3000
TEXTS = ("", "x", f"x{SPACE}", f"{SPACE}x", f"@daily{SPACE}", "\nx", "x\n", "x" * 5000, "yes", "true")
NUMBERS = ("1", "1.0", "300", 0, 1, -1, 1.5, 1e300, 2**63)
OTHERS: tuple[object, ...] = (True, False, None, [], {}, [""], {"x": 1})
PARTS = {name: each for name, each in CONTRACT["components"].items() if name == "schemas"}


def schema_of(node):
    while "$ref" in node:
        node = PARTS["schemas"][node["$ref"].rpartition("/")[2]]
    return node


def places(schema, value, place=()):
    """Return the places of everything that is in a value, and of what its schema would let be there."""
    yield place
    choices = [schema_of(schema), *map(schema_of, schema_of(schema).get("anyOf", ()))]
    known = {name: each for choice in choices for name, each in choice.get("properties", {}).items()}
    if isinstance(value, dict):
        for name in {**known, **value}:
            yield from places(known.get(name, {}), value.get(name), (*place, name))
    elif isinstance(value, list):
        items: dict[str, object] = next((choice["items"] for choice in choices if "items" in choice), {})
        for number, each in enumerate(value):
            yield from places(items, each, (*place, number))


def taken_by(field, document):
    """Return whether the program takes a body."""
    with meaningless_aliases():
        return not field.validate(copy.deepcopy(document), {}, loc=("body",))[1]


@pytest.mark.parametrize("name", BODIES)
def test_what_the_contract_refuses_is_refused(name):
    method, _, path = name.partition(" ")
    content = CONTRACT["paths"][path][method.lower()]["requestBody"]["content"]
    tried, laxer = 0, []
    for kind in content.values():
        contract = Draft202012Validator({**kind["schema"], "components": PARTS})
        for example in kind["examples"].values():
            every = list(places(kind["schema"], example["value"]))
            for place, value in product(every, (*TEXTS, *NUMBERS, *OTHERS)):
                document = with_another(example["value"], place, value)
                tried += 1
                if not contract.is_valid(document) and taken_by(BODIES[name], document):
                    laxer.append((place, str(value)[:9]))

    assert laxer == []
    assert tried > 0
