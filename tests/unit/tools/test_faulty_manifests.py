"""Manifests are loaded whole: one that can't work stops the load, and the place is named."""

from pathlib import Path

import pytest
from tests.builders.tools import a_manifest

from carapulse.tools.catalogue import Catalogue
from carapulse.tools.errors import ManifestInvalid
from carapulse.tools.model import Risk

MINIMAL = """
tool: demo
description: A tool to show what a manifest must hold.
actions:
  set:
    description: Set a number and say which one it was.
    effect: write
    risk: low
    reversibility: reversible
    idempotent: true
    input:
      type: object
      required: [number]
      additionalProperties: false
      properties: {number: {type: integer, minimum: 0, maximum: 9}}
    example: {number: 1}
    run: {program: demo, argv: [set, "--", {from: input.number}]}
    capture: {action: get, input: {}}
    undo: {action: set, input: {number: {$from: captured.number}}}
    targets: {names: [["'number'"]]}
    timeout_s: 5
  get:
    description: Say which number is set at this moment.
    effect: read
    risk: read
    reversibility: none_needed
    input: {type: object, additionalProperties: false, properties: {}}
    example: {}
    run: {program: demo, argv: [get]}
"""


@pytest.mark.parametrize(
    ("before", "after", "pointer", "code"),
    [
        ("tool: demo", "tool: wait", "/tool", "reserved"),
        ("risk: low", "risk: tiny", "/actions/set/risk", "enum"),
        ("risk: low", "risk: read", "/actions/set/risk", "too-low"),
        ("effect: write", "effect: destructive", "/actions/set/risk", "too-low"),
        ("    effect: read\n", "    effect: read\n    unheard_of: 1\n", "/actions/get/unheard_of", "extra_forbidden"),
        ("    idempotent: true\n", "", "/actions/set", "no-resolution"),
        (
            "    undo: {action: set, input: {number: {$from: captured.number}}}\n",
            "",
            "/actions/set/reversibility",
            "undo",
        ),
        ("reversibility: reversible", "reversibility: irreversible", "/actions/set/reversibility", "undo"),
        ("undo: {action: set", "undo: {action: put", "/actions/set/undo/action", "unknown-action"),
        (
            "undo: {action: set, input: {number",
            "undo: {action: get, input: {number",
            "/actions/set/undo/action",
            "effect",
        ),
        (
            "undo: {action: set, input: {number: {$from: captured.number}}}",
            "undo: {action: set, input: {}}",
            "/actions/set/undo/input/number",
            "missing",
        ),
        (
            "input: {number: {$from: captured.number}}",
            "input: {number: 1, digit: 1}",
            "/actions/set/undo/input/digit",
            "unknown-field",
        ),
        ("capture: {action: get", "capture: {action: set", "/actions/set/capture/action", "effect"),
        ("      additionalProperties: false\n", "", "/actions/set/input", "open-object"),
        (
            "{type: integer, minimum: 0, maximum: 9}",
            "{type: string}",
            "/actions/set/input/properties/number",
            "endless-string",
        ),
        (
            "{type: integer, minimum: 0, maximum: 9}",
            "{type: array, items: {type: string, maxLength: 2}}",
            "/actions/set/input/properties/number",
            "endless-array",
        ),
        (
            "{type: integer, minimum: 0, maximum: 9}",
            "{type: integer}",
            "/actions/set/input/properties/number",
            "endless-number",
        ),
        ("{type: integer, minimum: 0, maximum: 9}", "{}", "/actions/set/input/properties/number", "no-type"),
        (
            "{type: integer, minimum: 0, maximum: 9}",
            "{type: numbre, minimum: 0, maximum: 9}",
            "/actions/set/input",
            "schema",
        ),
        ("example: {number: 1}", "example: {number: 10}", "/actions/set/example/number", "maximum"),
        ("{from: input.number}", "{from: input.digit}", "/actions/set", "reference"),
        ("{from: input.number}", "{from: imput.number}", "/actions/set", "reference"),
        (
            "{from: input.number}",
            "{from: 'input..number'}",
            "/actions/set/run/program/argv/2/Argument/from",
            "value_error",
        ),
        ("{$from: captured.number}", "{$form: captured.number}", "/actions/set/undo/input/number", "value_error"),
        ("timeout_s: 5", "timeout_s: -1", "/actions/set/timeout_s", "greater_than"),
        ("tool: demo", "tool: demo\ntool: other", "", "yaml"),
    ],
)
def test_a_faulty_manifest_stops_the_load_and_says_where(
    tmp_path: Path, before: str, after: str, pointer: str, code: str
):
    assert before in MINIMAL

    with pytest.raises(ManifestInvalid) as refused:
        Catalogue.load([a_manifest(tmp_path, MINIMAL.replace(before, after, 1))])

    found = {(fault.pointer.partition("#")[2], fault.code) for fault in refused.value.faults}
    assert (pointer, code) in found


def test_the_minimal_manifest_is_right(tmp_path: Path):
    assert Catalogue.load([a_manifest(tmp_path, MINIMAL)]).action("demo", "get").risk is Risk.READ


@pytest.mark.parametrize("opening", ["[", "{a: ", "- "])
def test_a_manifest_that_is_nested_without_end_is_refused(tmp_path: Path, opening: str):
    with pytest.raises(ManifestInvalid) as refused:
        Catalogue.load([a_manifest(tmp_path, MINIMAL + "deep: " + "\n" * (opening == "- ") + opening * 200_000)])

    assert "nested more than 100 deep" in refused.value.faults[0].detail


def test_two_manifests_of_one_tool_are_refused(tmp_path: Path):
    (tmp_path / "other").mkdir()

    with pytest.raises(ManifestInvalid, match="can't be trusted"):
        Catalogue.load([a_manifest(tmp_path, MINIMAL), a_manifest(tmp_path / "other", MINIMAL)])


def test_a_missing_manifest_is_told(tmp_path: Path):
    with pytest.raises(ManifestInvalid) as refused:
        Catalogue.load([tmp_path / "none" / "manifest.yaml"])

    assert refused.value.faults[0].pointer == "none/manifest.yaml#"


def test_the_digest_of_a_tool_changes_with_its_manifest(tmp_path: Path):
    one = Catalogue.load([a_manifest(tmp_path, MINIMAL)]).digest("demo")
    same = Catalogue.load([a_manifest(tmp_path, "# a comment\n" + MINIMAL)]).digest("demo")
    other = Catalogue.load([a_manifest(tmp_path, MINIMAL.replace("timeout_s: 5", "timeout_s: 6"))]).digest("demo")

    assert one == same != other
