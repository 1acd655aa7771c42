"""Every body that the contract shows is accepted by the real application, which answers as the contract says."""

import json
from pathlib import Path

import jsonschema_rs
import pytest
from anyio.from_thread import start_blocking_portal
from tests.builders.rates import GENEROUS
from tests.conftest import a_database
from tests.world.rig import Rig
from tests.world.server import a_world
from tests.world.site import Site
from tests.world.staging import SCENES, Stage

# The one that is kept, which another test holds equal to what the code says: to make it takes seconds.
CONTRACT = json.loads((Path(__file__).parents[3] / "docs" / "reference" / "openapi.json").read_text())
SHOWN = [
    (f"{method.upper()} {path}", example)
    for path, methods in CONTRACT["paths"].items()
    for method, operation in methods.items()
    for content in operation.get("requestBody", {}).get("content", {}).values()
    for example in content.get("examples", {}).values()
]


@pytest.fixture(scope="module")
def stage(postgres, tmp_path_factory):
    with a_world() as world, a_database(postgres) as database, start_blocking_portal() as portal:
        rig = Rig(database.app_url, world, tmp_path_factory.mktemp("examples") / "data", max_deliveries=2, **GENEROUS)
        try:
            yield Stage(Site(rig, database, portal), rig, database)
        finally:
            rig.close()


def faults_in(answer, route):
    """Return what in an answer is not as the contract says."""
    method, _, path = route.partition(" ")
    declared = CONTRACT["paths"][path][method.lower()]["responses"][str(answer.status_code)]
    if "application/json" not in declared["content"]:
        return [answer.text] if answer.content else []
    schema = declared["content"]["application/json"]["schema"]
    validator = jsonschema_rs.Draft202012Validator({**schema, "components": CONTRACT["components"]})
    return [f"{list(each.instance_path)}: {each.message}" for each in validator.iter_errors(answer.json())]


@pytest.mark.parametrize(("route", "example"), SHOWN, ids=[f"{route}: {shown['summary']}" for route, shown in SHOWN])
def test_an_example_is_accepted_and_answered_as_the_contract_says(stage, route, example):
    answer = stage.send(route, example["value"])

    assert answer.is_success, answer.text
    assert faults_in(answer, route) == []


def test_scenes_are_made_for_nothing_else():
    assert SCENES.keys() <= {route for route, _ in SHOWN}
