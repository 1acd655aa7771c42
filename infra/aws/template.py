"""The template of serverless.yml as osls makes it, near enough to be checked where there is no node."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import yaml

ROOT: Final = Path(__file__).resolve().parents[2]
REASON: Final = "WhyEverything"
_STAGE: Final = "dev"
_NOTHING_NAMED: Final = re.compile(r"([a-z-]+[:/])?[*:/]+")  # at most the kind of what is meant
_PARTS: Final = ("Action", "Resource", "NotAction", "NotResource")


class _Loader(yaml.SafeLoader):
    """Reads CloudFormation's short forms."""


def _short_form(loader: _Loader, tag: str, node: yaml.Node) -> dict[str, Any]:
    name = tag if tag in {"Ref", "Condition"} else f"Fn::{tag}"
    if isinstance(node, yaml.ScalarNode):
        text = str(loader.construct_scalar(node))
        return {name: text.split(".", 1) if tag == "GetAtt" else text}
    if isinstance(node, yaml.SequenceNode):
        return {name: loader.construct_sequence(node, deep=True)}
    raise yaml.constructor.ConstructorError(None, None, f"!{tag} holds a mapping", node.start_mark)


_Loader.add_multi_constructor("!", _short_form)


def load(path: Path) -> Any:  # noqa: ANN401 - whatever a file of YAML holds
    """Return what a file holds, with the variables that are ours filled in."""
    text = path.read_text().replace("${self:service}", "carapulse").replace("${sls:stage}", _STAGE)
    return _with_files(yaml.load(text, _Loader))  # noqa: S506 - a SafeLoader


def _with_files(value: Any) -> Any:  # noqa: ANN401 - any part of a template
    """Put in the documents that are named, as osls does."""
    if isinstance(value, dict):
        return {name: _with_files(each) for name, each in value.items()}
    if isinstance(value, list):
        return [_with_files(each) for each in value]
    if isinstance(value, str) and value.startswith("${file(") and value.endswith(".json)}"):
        return json.loads(_named(value).read_text())
    return value


def functions() -> dict[str, Any]:
    """Return what serverless.yml says of each function."""
    return {name: load(_named(reference)) for name, reference in _service()["functions"].items()}


def environment() -> dict[str, Any]:
    """Return the environment that all functions have."""
    return dict(_service()["provider"]["environment"])


def assembled() -> dict[str, Any]:
    """Return the resources of infra/aws with a stand-in for each that osls adds and that they refer to."""
    resources: dict[str, Any] = {"HttpApi": {"Type": "AWS::ApiGatewayV2::Api", "Properties": _API}}
    outputs: dict[str, Any] = {}
    parameters: dict[str, Any] = {}
    transforms: set[str] = set()
    for reference in _service()["resources"]:
        part = load(_named(reference))
        resources |= part["Resources"]
        outputs |= part.get("Outputs", {})
        parameters |= part.get("Parameters", {})
        transforms |= {part["Transform"]} if "Transform" in part else set()
    for name, function in functions().items():
        resources[f"{name.capitalize()}LambdaFunction"] = _function(name, function)
        for event in function.get("events", []):
            if "sqs" in event:
                resources[f"{name.capitalize()}EventSource"] = _event_source(name, event["sqs"])
    told = {"Transform": sorted(transforms), "Parameters": parameters, "Resources": resources, "Outputs": outputs}
    return {"AWSTemplateFormatVersion": "2010-09-09", **told}


def wildcards(template: dict[str, Any]) -> Iterator[str]:
    """Yield where something is allowed with `*` as action or as resource, and nothing beside it says why."""
    for name, resource in template["Resources"].items():
        reasons = resource.get("Metadata", {}).get(REASON, {})
        for statement in _statements(resource.get("Properties", {})):
            if statement["Effect"] == "Allow" and not reasons.get(statement.get("Sid")):
                for part in _PARTS:
                    if any(_too_wide(part, each) for each in _listed(statement.get(part, []))):
                        yield f"{name}: {statement.get('Sid')}: {part}"


_API: Final = {"Name": "carapulse", "ProtocolType": "HTTP"}


def _too_wide(part: str, value: Any) -> bool:  # noqa: ANN401 - a string or an intrinsic function
    if part.startswith("Not"):
        return True
    text = value if isinstance(value, str) else value.get("Fn::Sub")
    if part == "Action" or not isinstance(text, str):  # a text that is put together otherwise is not looked into
        return "*" in json.dumps(value)
    *where, named = re.sub(r"\$\{[^}]+\}", "NAMED", text).split(":", 5)
    return "*" in "".join(where) or _NOTHING_NAMED.fullmatch(named) is not None


def _statements(value: Any) -> Iterator[dict[str, Any]]:  # noqa: ANN401 - any part of a template
    if isinstance(value, dict):
        if "Effect" in value:
            yield value
        for each in value.values():
            yield from _statements(each)
    elif isinstance(value, list):
        for each in value:
            yield from _statements(each)


def _listed(value: Any) -> list[Any]:  # noqa: ANN401 - one, or a list of them
    return value if isinstance(value, list) else [value]


def _service() -> dict[str, Any]:
    return dict(load(ROOT / "serverless.yml"))


def _named(reference: str) -> Path:
    return ROOT / reference.removeprefix("${file(").removesuffix(")}")


def _function(name: str, told: dict[str, Any]) -> dict[str, Any]:
    properties = {
        "FunctionName": f"carapulse-{_STAGE}-{name}",
        "Code": {"S3Bucket": "somewhere", "S3Key": "carapulse.zip"},
        "Handler": told["handler"],
        "Runtime": "python3.12",
        "Description": told["description"],
        "Role": {"Fn::GetAtt": [told["role"], "Arn"]},
        "Timeout": told["timeout"],
        "MemorySize": told["memorySize"],
        "ReservedConcurrentExecutions": told["reservedConcurrency"],
        "Environment": {"Variables": environment() | told.get("environment", {})},
        "TracingConfig": {"Mode": "Active"},
        "VpcConfig": {
            "SecurityGroupIds": [{"Ref": "FunctionSecurityGroup"}],
            "SubnetIds": [{"Ref": "PrivateSubnetA"}, {"Ref": "PrivateSubnetB"}],
        },
    }
    return {"Type": "AWS::Lambda::Function", "Properties": properties}


def _event_source(name: str, told: dict[str, Any]) -> dict[str, Any]:
    properties = {
        "EventSourceArn": told["arn"],
        "FunctionName": {"Ref": f"{name.capitalize()}LambdaFunction"},
        "BatchSize": told["batchSize"],
        "FunctionResponseTypes": [told["functionResponseType"]],
        "ScalingConfig": {"MaximumConcurrency": told["maximumConcurrency"]},
    }
    return {"Type": "AWS::Lambda::EventSourceMapping", "Properties": properties}
