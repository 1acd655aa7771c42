"""The steps of the image's Dockerfile make an environment that is whole: tried without an engine, in a folder."""

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from tests.world.issuer import an_issuers_file

from carapulse.kernel.message import ORCHESTRATION, QUEUES

ROOT = Path(__file__).parents[2]
DOCKERFILE = (ROOT / "infra" / "images" / "core" / "Dockerfile").read_text().replace("\\\n", " ")
BUILDER, FINAL = DOCKERFILE.split("\nFROM ")[1:]
A_PROVIDER = {
    "issuer": "https://login.example",
    "audience": "carapulse",
    "algorithms": ["RS256"],
    "tenants": {"fixed": "acme"},
    "roles": {"claim": "groups", "mapping": {"oncall": "sre"}},
}
IMPORT_ALL = """
import awslambdaric.bootstrap, runpy
from pathlib import Path
runpy.run_path("functions/migrate/main.py", run_name="__main__")
for main in sorted(Path("functions").glob("*/main.py")):
    runpy.run_path(str(main))
    print(main.parent.name)
"""


def variables(stage):
    return {
        name: value
        for line in re.findall(r"^ENV (.+)$", stage, re.MULTILINE)
        for name, value in assigned(shlex.split(line))
    }


def assigned(words):
    return [word.split("=", 1) for word in words]


def copied(stage, source, target):
    """Copy into a folder what the stage copies from the repository."""
    for line in re.findall(r"^COPY (?!--)(.+)$", stage, re.MULTILINE):
        *names, _ = line.split()
        for name in names:
            if (source / name).is_dir():
                shutil.copytree(source / name, target / name, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                shutil.copy(source / name, target)


def clean_environment():
    return {name: value for name, value in os.environ.items() if not re.match("CARAPULSE_|PYTHON|VIRTUAL_ENV", name)}


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """Do what the builder stage does, with the installer and the cache that are here already."""
    folder = tmp_path_factory.mktemp("image")
    (folder / "src").mkdir()
    copied(BUILDER, ROOT, folder / "src")
    tools = Path(sys.executable).parent
    given = variables(BUILDER) | {
        "UV_PROJECT_ENVIRONMENT": str(folder / "env"),
        "UV_COMPILE_BYTECODE": "0",
        "UV_LINK_MODE": "hardlink",
        "PATH": f"{tools}:{os.environ['PATH']}",
    }
    for line in re.findall(r"^RUN (uv .+)$", BUILDER, re.MULTILINE):
        subprocess.run(
            line.replace("--no-cache", ""), shell=True, check=True, cwd=folder / "src", env=clean_environment() | given
        )
    (folder / "app").mkdir()
    copied(FINAL, ROOT, folder / "app")
    return folder


def run(built, *command, **given):
    """Run a command as the final stage would, with its folders in place of the image's."""
    own = {name: value.replace("/app", str(built / "app")) for name, value in variables(FINAL).items()}
    del own["PYTHONDONTWRITEBYTECODE"]  # the image's is compiled already
    found = subprocess.run(
        command,
        check=False,
        cwd=built / "app",
        env=clean_environment() | own | given | {"PATH": f"{built / 'env' / 'bin'}:{os.environ['PATH']}"},
        capture_output=True,
        text=True,
    )
    assert found.returncode == 0, found.stderr[-3000:]
    return found.stdout


@pytest.mark.slow
def test_the_image_has_the_program_and_every_function_and_says_what_it_is_made_of(built, database, tmp_path):
    given = {
        "CARAPULSE_DATA_DIR": str(tmp_path),
        "CARAPULSE_DATABASE_URL": database.app_url,
        "CARAPULSE_DATABASE_OWNER_URL": database.owner_url,
        "CARAPULSE_QUEUE": "sqs",
        "CARAPULSE_QUEUE_ADDRESSES": json.dumps(
            {each: f"http://127.0.0.1:9/{each}" for each in QUEUES | {ORCHESTRATION}}
        ),
        "CARAPULSE_ORCHESTRATOR": "step-functions",
        "CARAPULSE_STATE_MACHINE": "arn:aws:states:eu-north-1:123456789012:stateMachine:carapulse",
        "AWS_DEFAULT_REGION": "eu-north-1",
        "CARAPULSE_ISSUERS_FILE": str(an_issuers_file(tmp_path, A_PROVIDER)),
    }

    version = run(built, "carapulse", "--version")
    imported = run(built, "python", "-c", IMPORT_ALL, **given).split()

    told = {each["name"] for each in json.loads((built / "src" / "sbom.json").read_text())["components"]}
    there = {
        each.name.split("-")[0].replace("_", "-").lower() for each in built.glob("env/lib/*/site-packages/*.dist-info")
    }
    assert version == "0.1.0\n"
    assert imported == sorted(each.name for each in (ROOT / "functions").iterdir() if (each / "main.py").exists())
    assert there - told == {"carapulse"}
    assert not list(built.glob("env/lib/*/site-packages/pytest*"))
