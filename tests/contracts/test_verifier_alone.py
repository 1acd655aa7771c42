"""The verifier is one file that runs with nothing but Python: no packages, no database, no network."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from tests.builders.evidence import KEY, a_bundle, forged, some_evidence

from carapulse.audit import verifier

SOURCE = Path(verifier.__file__)


class Alone:
    """Runs the copy in its folder, in an isolated Python without site packages."""

    def __init__(self, folder):
        self.folder = folder

    def __call__(self, *arguments):
        command = [sys.executable, "-I", "-S", "-W", "error", "verifier.py", *arguments]
        return subprocess.run(command, cwd=self.folder, env={}, capture_output=True, text=True, check=False, timeout=60)


@pytest.fixture
def alone(tmp_path):
    shutil.copy(SOURCE, tmp_path / "verifier.py")
    (tmp_path / "bundle.json").write_bytes(a_bundle())
    (tmp_path / "key").write_text(KEY + "\n")

    return Alone(tmp_path)


def test_a_whole_bundle_is_verified_by_key_or_key_file(alone):
    for key in (KEY, "key"):
        ran = alone("bundle.json", "--key", key)

        assert (ran.returncode, ran.stderr) == (0, "")
        assert ran.stdout.startswith("OK: plan plan_1 of acme: 6 events")


def test_a_fault_is_said_in_one_line_and_the_exit_code_is_1(alone):
    def change(statement):
        row = statement["predicate"]["events"][2]
        row["event"] = row["event"].replace('"actor":"ada"', '"actor":"eve"')

    (alone.folder / "bundle.json").write_bytes(forged(a_bundle(), change))

    ran = alone("bundle.json", "--key", KEY)
    assert (ran.returncode, ran.stderr) == (1, "")
    assert "WRONG: changed at event 3 (event_plan_1_3)" in ran.stdout
    assert "WRONG: signature" in ran.stdout


def test_json_says_the_same_to_a_program(alone):
    ran = alone("bundle.json", "--key", KEY, "--json")

    said = json.loads(ran.stdout)
    assert (ran.returncode, said["ok"], said["faults"], said["plan_id"], said["count"]) == (0, True, [], "plan_1", 6)


def test_a_checkpoint_that_was_kept_elsewhere_is_compared(alone):
    (alone.folder / "kept").write_text(some_evidence().checkpoints[0].note)
    (alone.folder / "other").write_text(some_evidence(7).checkpoints[-1].note)

    assert alone("bundle.json", "--key", KEY, "--witness", "kept").returncode == 0
    assert alone("bundle.json", "--key", KEY, "--witness", "other").returncode == 1


@pytest.mark.parametrize("content", [b"", b"\xff\x00", b"{}", b"[" * 200_000])
def test_rubbish_is_wrong_and_never_a_traceback(alone, content):
    (alone.folder / "bundle.json").write_bytes(content)

    ran = alone("bundle.json", "--key", KEY)
    assert (ran.returncode, ran.stderr) == (1, "")
    assert ran.stdout.startswith("WRONG: format")


@pytest.mark.parametrize(
    "arguments",
    [
        ("nowhere", "--key", KEY),
        (".", "--key", KEY),
        ("bundle.json", "--key", "nowhere"),
        ("bundle.json", "--key", "a+b+c"),
        ("bundle.json", "--key", "bundle.json"),
        ("bundle.json", "--key", KEY, "--witness", "nowhere"),
        ("bundle.json",),
        (),
    ],
)
def test_what_cant_be_tried_exits_with_2_and_says_why(alone, arguments):
    ran = alone(*arguments)

    assert (ran.returncode, ran.stdout) == (2, "")
    assert ran.stderr
    assert "Traceback" not in ran.stderr


def test_a_file_that_is_too_large_is_not_read_whole(alone):
    with (alone.folder / "bundle.json").open("wb") as file:
        file.truncate(verifier.MAX_BYTES * 64)

    ran = alone("bundle.json", "--key", KEY)
    assert ran.returncode == 2
    assert "larger than" in ran.stderr
