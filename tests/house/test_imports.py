"""What it costs to begin: our own code beside the libraries that can't be avoided, measured side by side in one run."""

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
MEASURE = """
import importlib, sys, time
begun = time.process_time(); [importlib.import_module(name) for name in {libraries}]; between = time.process_time()
[importlib.import_module(name) for name in {modules}]
print((time.process_time() - begun) / (between - begun))
"""
CLOUDS = {"boto3", "botocore", "google.cloud.pubsub", "aws_lambda_powertools", "functions_framework", "flask"}
SERVER = {"alembic", "fastapi", "sqlalchemy", "uvicorn"}
AREAS = {"carapulse.plans.routes", "carapulse.plans.store", "carapulse.executions.model", "carapulse.tools.toolbox"}
API = [
    *("fastapi", "pydantic.v1"),  # the framework imports the latter with the first route
    *(
        "pydantic_settings",
        "sqlalchemy.dialects.postgresql.pg8000",
        "pg8000.legacy",
        "regopy",
        "jsonschema_rs",
        "mangum",
    ),
    *("joserfc.jwt", "cryptography.hazmat.primitives.ciphers.aead", "httpx", "prometheus_client", "yaml"),
]
"""What the function `api` can't do without."""
API_MOST = 1.5


def ours_in(path):
    """Return the modules of ours that a file imports at its top."""
    found = [each.module or "" for each in ast.parse(path.read_text()).body if isinstance(each, ast.ImportFrom)]
    return [name for name in found if name.startswith("carapulse.")]


def costs(modules, libraries):
    """Yield what libraries and then modules of ours take of the processor, as a multiple of the libraries alone.

    One bad measurement may be bad luck, three are none: who finds a good one need not ask for the next.
    """
    for _ in range(3):
        yield float(run(MEASURE.format(modules=modules, libraries=libraries)))


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
            2.2,
        ),
    ],
)
def test_importing_ours_costs_little_beside_what_it_stands_on(module, libraries, most):
    assert any(cost < most for cost in costs([module], libraries))


def test_the_api_begins_in_a_bounded_multiple_of_the_time_of_the_libraries_that_it_cannot_do_without():
    modules = ours_in(ROOT / "functions" / "api" / "main.py")

    assert len(modules) > 3
    assert any(cost < API_MOST for cost in costs(modules, API))


@pytest.mark.parametrize(
    ("module", "unwanted"),
    [
        ("carapulse.surfaces.cli.main", CLOUDS | SERVER),
        ("carapulse.bootstrap", CLOUDS | SERVER - {"sqlalchemy"} | AREAS),
        ("carapulse.runtime.areas", CLOUDS | {"alembic", "uvicorn"} | AREAS),
        ("carapulse.runtime.functions", CLOUDS | {"alembic", "uvicorn"}),
        ("carapulse.runtime.queue", CLOUDS | SERVER - {"sqlalchemy"}),
    ],
)
def test_importing_brings_in_nothing_that_only_others_need(module, unwanted):
    brought = set(run(f"import sys, {module}; print(*sys.modules)").split())

    assert not unwanted & brought
