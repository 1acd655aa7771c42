"""The toolbox with programs for real: from an invocation to what is known of its effect."""

import threading
from pathlib import Path
from typing import Any

import pytest
from tests.builders.tools import Runs, a_connection, a_manifest, a_toolbox, an_invocation

from carapulse.kernel.errors import Denied, Unavailable
from carapulse.tools.catalogue import Catalogue
from carapulse.tools.errors import InputRefused, NoConnection, SecretMissing
from carapulse.tools.model import Mode, OutcomeKind

MANIFEST = """
tool: demo
description: Programs that behave as a test wants them to.
settings: {type: object, additionalProperties: false, properties: {word: {type: string}, key: {type: object}}}
actions:
  look:
    description: Run Python code that only looks.
    effect: read
    risk: read
    reversibility: none_needed
    input: &code
      type: object
      required: [code]
      additionalProperties: false
      properties: {code: {type: string, maxLength: 2000, contentMediaType: text/plain}, wanted: {type: string, maxLength: 10}}
    example: {code: print(1)}
    run: &python
      program: python
      argv: ["-c", {from: input.code, multiline: true}, {from: connection.word, omit_if_null: true}]
      exits: {succeeded: [0], refused: [3], unavailable: [75], unknown: [76], forbidden: [77]}
      signs: [{stderr: "^gone away", means: unavailable}, {stderr: "^lost sight", means: unknown}]
    output: {format: json}
    success: [{path: word, op: eq, value: {$from: input.wanted}}]
    redact: [inner]
  wait:
    description: Run Python code again and again until it says done.
    effect: read
    risk: read
    reversibility: none_needed
    input: *code
    example: {code: print(1)}
    run: *python
    poll: {every_s: 0.05, until: [{path: word, value: done}], stop: [{path: word, value: hopeless}]}
  lines:
    description: Run Python code and show what it writes.
    effect: read
    risk: read
    reversibility: none_needed
    input: *code
    example: {code: print(1)}
    run: *python
    output: {format: text, max_bytes: 100}
  documents:
    description: Run Python code that writes several JSON documents.
    effect: read
    risk: read
    reversibility: none_needed
    input: *code
    example: {code: print(1)}
    run: *python
    output: {format: json_stream, select: "{count: length(@)}"}
  change:
    description: Run Python code that changes something.
    effect: write
    risk: low
    reversibility: irreversible
    person_resolves: true
    input: *code
    example: {code: print(1)}
    run: *python
    targets: {names: [["'demo'"]]}
    timeout_s: 2
  secret:
    description: Make a secret and keep it aside.
    effect: write
    risk: high
    reversibility: irreversible
    person_resolves: true
    input: *code
    example: {code: print(1)}
    run: *python
    output: {handles: {token: token}}
    targets: {names: [["'demo'"]]}
"""


@pytest.fixture
def run(tmp_path: Path) -> Runs:
    catalogue = Catalogue.load([a_manifest(tmp_path, MANIFEST)])
    connection = a_connection(
        "demo", secret_folder=str(tmp_path / "kept"), environment={"GIVEN": {"secret": "env:GIVEN"}}
    )
    return Runs(a_toolbox(connection, environment={"GIVEN": "given-secret"}, catalogue=catalogue))


def a_use(name: str, code: str, **fields: Any) -> Any:
    value = {"code": code, **fields.pop("value", {})}
    return an_invocation(f"demo.{name}", value, **fields)


def test_json_is_read(run: Runs):
    outcome = run(a_use("look", 'print(\'{"word": "x", "n": [1, 2.5, null]}\')'))

    assert (outcome.kind, outcome.output) == (OutcomeKind.SUCCEEDED, {"word": "x", "n": [1, 2.5, None]})


@pytest.mark.parametrize(("wanted", "kind"), [("x", OutcomeKind.SUCCEEDED), ("y", OutcomeKind.FAILED)])
def test_a_rule_of_success_is_compared(run: Runs, wanted: str, kind: OutcomeKind):
    assert run(a_use("look", 'print(\'{"word": "x"}\')', value={"wanted": wanted})).kind is kind


def test_secrets_of_the_connection_are_given_and_never_told(run: Runs):
    code = "import json, os, sys; print(os.environ['GIVEN'], file=sys.stderr); print(json.dumps({'word': os.environ['GIVEN'], 'inner': 'hidden-by-key', 'a': [os.environ['GIVEN'][::-1]]}))"

    outcome = run(a_use("look", code))

    assert outcome.output == {"word": "[redacted]", "inner": "[redacted]", "a": ["terces-nevig"]}
    assert "given-secret" not in outcome.model_dump_json() + str(run.lines)
    assert run.lines == ["[redacted]"]


def test_a_missing_secret_stops_the_run_before_it_begins(run: Runs):
    run.box.secrets.environment.clear()  # type: ignore[attr-defined]

    with pytest.raises(SecretMissing) as missing:
        run(a_use("change", "print(1)"))

    assert missing.value.retryable


@pytest.mark.parametrize(
    ("code", "kind", "unchanged"),
    [
        ("raise SystemExit(1)", OutcomeKind.FAILED, False),
        ("raise SystemExit(3)", OutcomeKind.FAILED, True),
        ("raise SystemExit(76)", OutcomeKind.UNKNOWN, False),
        ("import sys; sys.stderr.write('lost sight of it'); raise SystemExit(1)", OutcomeKind.UNKNOWN, False),
        ("import os; os.kill(os.getpid(), 9)", OutcomeKind.UNKNOWN, False),
        ("import time; time.sleep(60)", OutcomeKind.UNKNOWN, False),
        ("print('no json')", OutcomeKind.UNKNOWN, False),
        ("print('[' * 100000)", OutcomeKind.UNKNOWN, False),
        ("print('{\"a\": \"' + 'x' * 2000000 + '\"}')", OutcomeKind.UNKNOWN, False),
        ("print('{}')", OutcomeKind.SUCCEEDED, False),
    ],
)
def test_what_is_known_of_a_write(run: Runs, code: str, kind: OutcomeKind, unchanged: bool):  # noqa: FBT001 - a parameter of the test
    outcome = run(a_use("change", code))

    assert (outcome.kind, outcome.unchanged) == (kind, unchanged)


@pytest.mark.parametrize(
    "code", ["raise SystemExit(75)", "import sys; sys.stderr.write('gone away'); raise SystemExit(1)"]
)
def test_a_program_that_could_not_reach_its_service_may_be_run_again(run: Runs, code: str):
    with pytest.raises(Unavailable):
        run(a_use("change", code))


def test_a_program_that_is_not_allowed_is_denied_without_telling_secrets(run: Runs):
    with pytest.raises(Denied) as denied:
        run(a_use("change", "import os, sys; sys.stderr.write(os.environ['GIVEN']); raise SystemExit(77)"))

    assert denied.value.facts["said"] == "[redacted]"


@pytest.mark.parametrize(
    "code", ["import time; time.sleep(60)", "import os; os.kill(os.getpid(), 9)", "raise SystemExit(76)"]
)
def test_a_read_that_did_not_come_to_its_end_may_be_asked_again(run: Runs, code: str):
    with pytest.raises(Unavailable):
        run(a_use("look", code), deadline_s=1)


@pytest.mark.parametrize(("action", "kind"), [("look", OutcomeKind.FAILED), ("change", OutcomeKind.UNKNOWN)])
def test_a_cancel_is_told(run: Runs, action: str, kind: OutcomeKind):
    threading.Timer(0.5, run.cancelled.set).start()

    assert run(a_use(action, "import time; time.sleep(60)")).kind is kind


def test_a_cancel_that_came_before_lets_nothing_begin(run: Runs, tmp_path: Path):
    run.cancelled.set()

    outcome = run(a_use("change", f"open({str(tmp_path / 'made')!r}, 'w')"))

    assert (outcome.kind, outcome.unchanged, (tmp_path / "made").exists()) == (OutcomeKind.FAILED, True, False)


def test_asking_again_ends_when_it_is_so(run: Runs, tmp_path: Path):
    code = f"import pathlib; p = pathlib.Path({str(tmp_path / 'n')!r}); n = len(p.read_text()) if p.exists() else 0; p.write_text('x' * (n + 1)); print('{{\"word\": \"%s\"}}' % ('done' if n > 2 else 'not yet'))"

    outcome = run(a_use("wait", code))

    assert (outcome.kind, (tmp_path / "n").read_text()) == (OutcomeKind.SUCCEEDED, "xxxx")


def test_asking_again_bears_a_service_that_is_away_for_a_moment(run: Runs, tmp_path: Path):
    code = f'import pathlib; p = pathlib.Path({str(tmp_path / "n")!r}); known = p.exists(); p.touch()\nif not known: raise SystemExit(75)\nprint(\'{{"word": "done"}}\')'

    assert run(a_use("wait", code)).kind is OutcomeKind.SUCCEEDED


def test_asking_again_a_service_that_stays_away_is_unavailable(run: Runs):
    with pytest.raises(Unavailable):
        run(a_use("wait", "raise SystemExit(75)"), deadline_s=0.5)


@pytest.mark.parametrize(("word", "deadline_s"), [("hopeless", 30), ("not yet", 1)])
def test_asking_again_ends_when_there_is_no_hope_or_no_time(run: Runs, word: str, deadline_s: float):
    outcome = run(a_use("wait", f'print(\'{{"word": "{word}"}}\')'), deadline_s=deadline_s)

    assert outcome.kind is OutcomeKind.FAILED
    assert word in outcome.detail


def test_text_that_is_cut_off_is_no_answer(run: Runs):
    outcome = run(a_use("lines", "print('x' * 1000)"))

    assert (outcome.kind, outcome.truncated, outcome.output) == (OutcomeKind.FAILED, True, None)


def test_lines_are_heard_and_text_is_told(run: Runs):
    outcome = run(a_use("lines", "print('one'); print('token=abcdefgh')"))

    assert run.lines == ["one", "token=[redacted]"]
    assert outcome.output == "one\ntoken=[redacted]\n"


@pytest.mark.parametrize(("written", "count"), [("{} [] 1", 3), ("{}\\n{}\\n", 2), ("", 0)])
def test_several_documents_are_read(run: Runs, written: str, count: int):
    assert run(a_use("documents", f"print('{written}')")).output == {"count": count}


def test_documents_and_something_else_are_no_answer(run: Runs):
    assert run(a_use("documents", "print('{} oops')")).kind is OutcomeKind.FAILED


def test_a_secret_that_was_made_is_kept_aside(run: Runs, tmp_path: Path):
    outcome = run(a_use("secret", 'print(\'{"token": "made-just-now", "id": 7}\')'))

    kept = Path(outcome.output["token"]["secret"].removeprefix("file:"))
    assert (outcome.output["id"], kept.parent, kept.read_text()) == (7, tmp_path / "kept", "made-just-now")
    assert "made-just-now" not in outcome.model_dump_json()


@pytest.mark.parametrize("mode", [Mode.CAPTURE, Mode.PROBE, Mode.DRY_RUN])
def test_a_face_that_an_action_does_not_have_is_refused(run: Runs, mode: Mode):
    with pytest.raises(InputRefused):
        run(a_use("change", "print(1)", mode=mode))


def test_a_place_without_connection_is_denied(run: Runs):
    invocation = a_use("look", "print(1)").model_copy(update={"tenant": "other"})

    with pytest.raises(NoConnection):
        run(invocation)


@pytest.mark.parametrize(
    ("written", "read"), [('{"a": NaN}', {"a": None}), ('{"a": Infinity, "b": [1e400]}', {"a": None, "b": [None]})]
)
def test_what_is_no_number_in_json_is_null(run: Runs, written: str, read: dict[str, Any]):
    assert run(a_use("look", f"print('{written}')")).output == read
