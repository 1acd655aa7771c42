"""What it costs to begin: our own code beside the libraries that can't be avoided, measured side by side in one run."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
MEASURE = """
import importlib, sys, time
begun = time.perf_counter(); [importlib.import_module(name) for name in {libraries}]; between = time.perf_counter()
importlib.import_module({module!r})
print((time.perf_counter() - begun) / (between - begun))
"""
CLOUDS = {"boto3", "botocore", "google.cloud.pubsub", "aws_lambda_powertools", "functions_framework", "flask"}
SERVER = {"alembic", "fastapi", "sqlalchemy", "uvicorn"}


def run(code, **environment):
    given = {"PATH": os.environ["PATH"], "PYTHONPATH": "shared", **environment}
    command = [sys.executable, "-W", "ignore", "-c", code]
    done = subprocess.run(command, cwd=ROOT, env=given, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize(
    ("module", "libraries", "most"),
    [
        ("carapulse.surfaces.cli.main", ["typer", "httpx", "pydantic_settings"], 1.5),
        ("carapulse.runtime.http.app", ["fastapi", "joserfc.jwt", "prometheus_client"], 1.5),
        (
            "carapulse.bootstrap",
            ["sqlalchemy", "pydantic", "httpx", "regopy", "jsonschema_rs", "joserfc.jwt", "yaml"],
            3,
        ),
    ],
)
def test_importing_ours_costs_little_beside_what_it_stands_on(module, libraries, most):
    costs = [float(run(MEASURE.format(module=module, libraries=libraries))) for _ in range(3)]

    assert min(costs) < most


@pytest.mark.parametrize(
    ("module", "unwanted"),
    [
        ("carapulse.surfaces.cli.main", CLOUDS | SERVER),
        ("carapulse.runtime.areas", CLOUDS | {"alembic", "uvicorn"}),
        ("carapulse.runtime.queue", CLOUDS | SERVER - {"sqlalchemy"}),
    ],
)
def test_importing_brings_in_nothing_that_only_others_need(module, unwanted):
    brought = set(run(f"import sys, {module}; print(*sys.modules)").split())

    assert not unwanted & brought
