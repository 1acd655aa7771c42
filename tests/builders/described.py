"""The AsyncAPI document as whoever follows reads it: which message something is, and whether it is as described."""

import json
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema_rs

CONTRACT = json.loads((Path(__file__).parents[2] / "docs" / "reference" / "asyncapi.json").read_text())


def messages_of(operation: str) -> set[str]:
    """Return the names of the messages that an operation sends or takes."""
    return {each["$ref"].rpartition("/")[2] for each in CONTRACT["operations"][operation]["messages"]}


def faults_of(operation: str, name: str, value: Any) -> list[str]:
    """Return what is wrong with a message of an operation; nothing if it is what the document says."""
    if name not in messages_of(operation):
        return [f"{operation} has no {name}"]
    return [f"{name}{list(each.instance_path)}: {each.message}" for each in _payload(name).iter_errors(value)]


@cache
def _payload(name: str) -> Any:
    schema = {"$ref": f"#/components/messages/{name}/payload", "components": CONTRACT["components"]}
    return jsonschema_rs.Draft7Validator(schema, validate_formats=True)
