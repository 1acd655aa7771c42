"""The zip and the template that go to AWS, as `make package-aws` made them: complete, small, and allowed little."""

import json
import subprocess
import sys
from pathlib import Path
from zipfile import ZipFile

import pytest
from infra.aws.package import BUILT, LEFT_OUT, MOST_UNZIPPED_MB, MOST_ZIPPED_MB, ZIP, sizes
from infra.aws.template import assembled, environment, functions, wildcards

from carapulse.kernel.message import ORCHESTRATION, QUEUES

TEMPLATE = BUILT / "template" / "cloudformation-template-update-stack.json"
IMPORTS = """
import sys
sys.path.insert(0, {folder!r})
from importlib import import_module
assert callable(import_module({module!r}).lambda_handler)
assert sys.modules["carapulse"].__file__.startswith({folder!r})
"""


@pytest.fixture(scope="module")
def unzipped(tmp_path_factory):
    folder = tmp_path_factory.mktemp("task")
    with ZipFile(ZIP) as archive:
        archive.extractall(folder)
    return folder


def python_of(folder):
    """Return a Python of the version that the package is for, or skip."""
    (binary,) = (folder / "pydantic_core").glob("*.so")
    digits = binary.name.split("cpython-")[1].split("-")[0]
    version = f"{digits[0]}.{digits[1:]}"
    if version == ".".join(map(str, sys.version_info[:2])):
        return sys.executable
    uv = Path(sys.executable).with_name("uv")
    found = subprocess.run([uv, "python", "find", "--no-project", version], capture_output=True, text=True, check=False)
    if found.returncode != 0:
        pytest.skip(f"the package is for Python {version}, which is not on this machine")
    return found.stdout.strip()


def test_the_package_keeps_to_its_budget():
    zipped, inside = sizes(ZIP)

    assert zipped < MOST_ZIPPED_MB
    assert inside < MOST_UNZIPPED_MB


def test_the_package_holds_no_database_no_other_cloud_and_no_command_line(unzipped):
    names = {each.name.split("-")[0] for each in unzipped.glob("*.dist-info")}

    assert "pg8000" in names
    assert {each.replace("-", "_") for each in LEFT_OUT}.isdisjoint(names)
    assert not (unzipped / "carapulse" / "surfaces").exists()


@pytest.mark.parametrize("name", functions())
def test_a_handler_is_imported_from_the_package_alone(unzipped, name):
    module = functions()[name]["handler"].removesuffix(".lambda_handler").replace("/", ".")
    given = {each: value for each, value in environment().items() if isinstance(value, str)} | {
        "AWS_DEFAULT_REGION": "eu-central-1",
        "CARAPULSE_EVIDENCE_KEY": "kms:alias/evidence",
        "CARAPULSE_SEALING_KEY": "env:SEALING",
        "CARAPULSE_BLOBS_BUCKET": "blobs",
        "CARAPULSE_EVIDENCE_BUCKET": "evidence",
        "SEALING": "0f" * 32,
        "CARAPULSE_DATABASE_URL": "postgresql://nobody@127.0.0.1:1/nothing",
        "CARAPULSE_QUEUE_ADDRESSES": json.dumps(
            {queue: f"https://sqs.example/1/{queue}" for queue in QUEUES | {ORCHESTRATION}}
        ),
        "CARAPULSE_STATE_MACHINE": "arn:aws:states:eu-central-1:123456789012:stateMachine:carapulse-dev",
        "CARAPULSE_LIVE_GATEWAY": "https://abcdef123.execute-api.eu-central-1.amazonaws.com/live",
        "CARAPULSE_LIVE_PUSHER": "carapulse-dev-pusher",
    }

    done = subprocess.run(
        [python_of(unzipped), "-I", "-S", "-c", IMPORTS.format(folder=str(unzipped), module=module)],
        cwd=unzipped,
        env=given,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stderr


def test_cloudformation_has_nothing_against_the_template():
    said = subprocess.run(
        # W3005: osls says twice what depends on what.
        [Path(sys.executable).with_name("cfn-lint"), "--ignore-checks", "W3005", "--", TEMPLATE],
        capture_output=True,
        text=True,
        check=False,
    )

    assert (said.stdout, said.returncode) == ("", 0)


def test_the_template_allows_nothing_with_a_star_that_gives_no_reason():
    assert list(wildcards(json.loads(TEMPLATE.read_text()))) == []


def test_the_template_holds_what_was_checked_without_node():
    made, checked = json.loads(TEMPLATE.read_text())["Resources"], assembled()["Resources"]
    ours = {name: each["Type"] for name, each in checked.items() if not name.endswith("EventSource")}

    assert {name: each["Type"] for name, each in made.items() if name in ours} == ours
    assert {each["Properties"]["RetentionInDays"] for each in made.values() if each["Type"] == "AWS::Logs::LogGroup"}
