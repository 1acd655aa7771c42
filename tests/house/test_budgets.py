"""What a function costs before it can take its first event: time, modules, and what is read from the disk."""

import json
import os
import re
import subprocess
import sys
from functools import cache
from importlib.metadata import PackageNotFoundError, files, packages_distributions
from pathlib import Path

import pytest
import yaml
from infra.aws.package import MOST_UNZIPPED_MB, requirements

from carapulse.adapters.sealing import AesGcmSealer
from carapulse.audit.keys import open_evidence_key
from carapulse.kernel.message import ORCHESTRATION, QUEUES

ROOT = Path(__file__).parents[2]
BUDGETS = yaml.safe_load((ROOT / "functions" / "budgets.yml").read_text())
FOLDERS = sorted(each.parent.name for each in (ROOT / "functions").glob("*/main.py"))
BEGINS = """
import json, os, sys, time
from importlib import import_module
for name in {bare}: import_module(name)
bare = time.process_time()
import_module("carapulse.bootstrap")  # which every function needs: its time is added to each
common = time.process_time()
for function in {functions}:
    if os.fork() == 0:
        begun = time.process_time()
        import_module(f"functions.{{function}}.main")
        took = time.process_time() - begun
        print(json.dumps([function, (common + took) / bare, sorted(sys.modules)]), flush=True)
        os._exit(0)
    assert os.wait()[1] == 0, function
"""


@pytest.fixture(scope="module")
def environment(tmp_path_factory):
    """Return what a function on Lambda is told; it connects to nothing before its first event."""
    data = tmp_path_factory.mktemp("data")
    data.chmod(0o700)
    open_evidence_key(data)
    AesGcmSealer.load_or_make(data)
    issuers = data / "issuers.yaml"
    issuers.write_text((ROOT / "infra" / "aws" / "example" / "issuers.yaml").read_text())
    return {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": f"shared{os.pathsep}.",
        "AWS_DEFAULT_REGION": "eu-central-1",
        "CARAPULSE_DATA_DIR": str(data),
        "CARAPULSE_DATABASE_URL": "postgresql://nobody@127.0.0.1:1/nothing",
        "CARAPULSE_ISSUERS_FILE": str(issuers),
        "CARAPULSE_QUEUE": "sqs",
        "CARAPULSE_QUEUE_ADDRESSES": json.dumps(
            {queue: f"https://sqs.example/1/{queue}" for queue in QUEUES | {ORCHESTRATION}}
        ),
        "CARAPULSE_ORCHESTRATOR": "step-functions",
        "CARAPULSE_STATE_MACHINE": "arn:aws:states:eu-central-1:123456789012:stateMachine:carapulse",
        "CARAPULSE_LIVE_GATEWAY": "https://abcdef123.execute-api.eu-central-1.amazonaws.com/live",
        "CARAPULSE_LIVE_PUSHER": "carapulse-dev-pusher",
    }


@pytest.fixture(scope="module")
def begin(environment):
    """Return what begins functions, and tells the time of each as a multiple of the bare libraries', and its modules."""

    def measured(*functions):
        code = BEGINS.format(bare=BUDGETS["bare"], functions=functions)
        command = [sys.executable, "-W", "ignore", "-c", code]
        done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        told = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("[")]
        return {function: (ratio, modules) for function, ratio, modules in told}

    return measured


@pytest.fixture(scope="module")
def starts(begin):
    return begin(*FOLDERS)


@cache
def megabytes(distribution):
    """Return what an installed distribution takes on the disk, without what Python compiled."""
    try:
        inside = files(distribution) or ()
    except PackageNotFoundError:
        return 0.0
    paths = [each.locate() for each in inside if each.suffix != ".pyc"]
    return sum(Path(str(each)).stat().st_size for each in paths if Path(str(each)).is_file()) / 2**20


def read_by(modules):
    found = packages_distributions()
    tops = {each.partition(".")[0] for each in modules} - {"carapulse"}
    return {distribution for top in tops for distribution in found.get(top, ())}


def test_every_function_has_a_budget_and_nothing_else_has():
    assert sorted(BUDGETS["functions"]) == FOLDERS


@pytest.mark.parametrize("function", FOLDERS)
def test_a_function_begins_within_its_budget(function, starts, begin):
    budget, (ratio, modules) = BUDGETS["functions"][function], starts[function]
    for _ in range(3):  # a measured time may be bad luck, beside others even twice
        if ratio > budget["ratio"]:
            ratio = min(ratio, begin(function)[function][0])
    reads = sum(map(megabytes, read_by(modules)))
    print(f"{function}: {ratio:.2f} times the bare libraries, {len(modules)} modules, reads {reads:.1f} MB")  # noqa: T201 - for whoever moves a budget

    assert ratio <= budget["ratio"]
    assert len(modules) <= budget["modules"]
    assert reads <= budget["reads"]


def test_the_package_keeps_to_its_budget_before_anybody_builds_it():
    names = re.findall(r"^([A-Za-z0-9][A-Za-z0-9._-]*)==", requirements(), re.MULTILINE)
    size = sum(map(megabytes, names))
    print(f"{len(names)} distributions, {size:.0f} MB")  # noqa: T201 - for whoever moves a budget

    assert len(names) > 20
    assert size <= BUDGETS["package"] <= MOST_UNZIPPED_MB
