"""Reads a folder of policies: modules, their tests, and the data that operators tune."""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from carapulse.adapters.rego.data import PolicyData
from carapulse.kernel.canonical import digest
from carapulse.kernel.errors import Fault
from carapulse.kernel.pointers import pointer_of
from carapulse.kernel.record import Record
from carapulse.policy.errors import UnsoundPolicy

_LARGEST_FILE = 1_000_000


class Sources(Record):
    """What a folder holds. `digest` covers every file that takes part in a decision, by name and content."""

    modules: dict[str, str]
    tests: dict[str, str]
    data: dict[str, Any]
    digest: str


def read_sources(folder: Path) -> Sources:
    """Read `*.rego` and `data/*.json`; `*_test.rego` are kept apart. Raise UnsoundPolicy for what isn't right."""
    if not (folder / "decision.rego").is_file():
        raise UnsoundPolicy("there are no policies here", folder=str(folder))
    rego = {str(path.relative_to(folder)): _text(path) for path in sorted(folder.rglob("*.rego"))}
    tuned = {str(path.relative_to(folder)): _text(path) for path in sorted((folder / "data").glob("*.json"))}
    modules = {name: text for name, text in rego.items() if not name.endswith("_test.rego")}
    return Sources(
        modules=modules,
        tests={name: text for name, text in rego.items() if name not in modules},
        data=_checked(_merged(tuned)),
        digest=digest({name: hashlib.sha256(text.encode()).hexdigest() for name, text in (modules | tuned).items()}),
    )


def _text(path: Path) -> str:
    try:
        if path.stat().st_size > _LARGEST_FILE:
            raise UnsoundPolicy("a policy file is too large", file=str(path))
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UnsoundPolicy("a policy file can't be read", file=str(path)) from error


def _merged(files: Mapping[str, str]) -> dict[str, Any]:
    merged: dict[str, Any] = {}
    for name, text in files.items():
        for key, value in _object(name, text).items():
            if key in merged:
                raise UnsoundPolicy("two data files say the same thing", key=key, file=name)
            merged[key] = value
    return merged


def _object(name: str, text: str) -> dict[str, Any]:
    try:
        value = json.loads(text, object_pairs_hook=_without_repetition)
    except ValueError as error:
        raise UnsoundPolicy(f"a data file is not JSON: {error}", file=name) from error
    if not isinstance(value, dict):
        raise UnsoundPolicy("a data file holds one JSON object", file=name)
    return value


def _without_repetition(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len({key for key, _ in pairs}) != len(pairs):
        raise ValueError("a key stands twice in one object")
    return dict(pairs)


def _checked(data: dict[str, Any]) -> dict[str, Any]:
    try:
        return PolicyData.model_validate(data).model_dump(mode="json")
    except ValidationError as error:
        faults = tuple(_fault(detail["loc"], detail["type"], detail["msg"]) for detail in error.errors())
        raise UnsoundPolicy("the policy's data have faults", faults=faults) from error


def _fault(path: tuple[int | str, ...], code: str, detail: str) -> Fault:
    return Fault(pointer=pointer_of(path), code=code, detail=detail)
