"""The import contracts hold, cover every area, and each of them can fail."""

import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "shared" / "carapulse"
CONTRACTS = {
    each["id"]: each
    for each in tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
}
FORBIDDEN = [
    ("downward", "plans/model.py", "import carapulse.intake.model"),
    ("downward", "kernel/record.py", "import carapulse.wire"),
    ("downward", "tools/model.py", "import carapulse.settings"),
    ("downward", "adapters/postgres/log.py", "import carapulse.runtime.dispatch"),
    ("inside", "plans/model.py", "import carapulse.plans.ports"),
    ("inside", "approvals/consumers.py", "import carapulse.approvals.routes"),
    ("inside", "approvals/usecases.py", "import carapulse.approvals.store"),
    ("technology", "plans/usecases.py", "import sqlalchemy"),
    ("technology", "tools/commands.py", "import subprocess"),
    ("technology", "intake/signing.py", "import httpx"),
    ("technology", "policy/usecases.py", "import regopy"),
    ("store", "approvals/usecases.py", "import carapulse.plans.store"),
    ("integrations", "integrations/another/__init__.py", "import carapulse.integrations.git"),
    ("surfaces", "surfaces/cli/plans.py", "import carapulse.plans.usecases"),
    ("surfaces", "surfaces/cli/desk.py", "import carapulse.bootstrap"),
    ("adapters", "adapters/web/client.py", "import carapulse.adapters.processes.runner"),
    ("apikeys-private", "plans/store.py", "import carapulse.apikeys.tables"),
    ("orchestration-private", "plans/store.py", "import carapulse.orchestration.tables"),
    ("approvals-private", "intake/model.py", "import carapulse.approvals.store"),
    ("audit-private", "plans/store.py", "import carapulse.audit.tables"),
    ("chatops-private", "plans/store.py", "import carapulse.chatops.tables"),
    ("collection-private", "intake/store.py", "import carapulse.collection.tables"),
    ("context-private", "plans/store.py", "import carapulse.context.tables"),
    ("deadletters-private", "plans/store.py", "import carapulse.deadletters.tables"),
    ("idempotency-private", "adapters/postgres/log.py", "import carapulse.idempotency.tables"),
    ("intake-private", "plans/store.py", "import carapulse.intake.tables"),
    ("knowledge-private", "plans/store.py", "import carapulse.knowledge.tables"),
    ("plans-private", "approvals/store.py", "import carapulse.plans.tables"),
    ("live-private", "plans/store.py", "import carapulse.live.tables"),
    ("notifications-private", "plans/store.py", "import carapulse.notifications.tables"),
    ("technology", "live/hub.py", "import starlette"),
    ("sessions-private", "knowledge/store.py", "import carapulse.sessions.tables"),
    ("freezes-private", "plans/store.py", "import carapulse.freezes.tables"),
    ("workflows-private", "plans/store.py", "import carapulse.workflows.tables"),
    ("schedules-private", "intake/store.py", "import carapulse.schedules.tables"),
    ("executions-private", "surfaces/cli/watching.py", "import carapulse.executions.tables"),
    ("rates-private", "intake/store.py", "import carapulse.rates.tables"),
]


def lint(root, *options):
    """Run the linter over the package below a folder, and return its exit code and what it said."""
    command = [str(Path(sys.executable).with_name("lint-imports")), "--no-cache", *options]
    environment = {**os.environ, "PYTHONPATH": str(root / "shared")}
    done = subprocess.run(command, check=False, cwd=root, env=environment, capture_output=True, text=True, timeout=60)
    return done.returncode, done.stdout + done.stderr


@pytest.fixture(scope="module")
def copy(tmp_path_factory):
    root = tmp_path_factory.mktemp("copy")
    shutil.copy(ROOT / "pyproject.toml", root)
    shutil.copytree(PACKAGE, root / "shared" / "carapulse", ignore=shutil.ignore_patterns("__pycache__"))
    return root


def test_the_contracts_hold_here():
    code, said = lint(ROOT)

    assert code == 0, said


@pytest.fixture(scope="module")
def broken(copy):
    """Lint a copy with every forbidden import in it, once; return what it said of each contract that is broken."""
    for _, file, line in FORBIDDEN:
        victim = copy / "shared" / "carapulse" / file
        victim.parent.mkdir(exist_ok=True)
        victim.write_text(f"{victim.read_text() if victim.exists() else ''}\n{line}\n")

    code, said = lint(copy)

    shutil.rmtree(copy / "shared" / "carapulse")
    shutil.copytree(PACKAGE, copy / "shared" / "carapulse", ignore=shutil.ignore_patterns("__pycache__"))
    assert code == 1, said
    words = " ".join(said.partition("Broken contracts")[2].split())  # long names are wrapped
    sections = {
        name: re.search(rf"{re.escape(each['name'])} (?:-+ )+(.*?)(?= --|$)", words) for name, each in CONTRACTS.items()
    }
    return {name: found[1] for name, found in sections.items() if found}


@pytest.mark.parametrize(
    ("contract", "file", "line"), FORBIDDEN, ids=[f"{name}: {file}" for name, file, _ in FORBIDDEN]
)
def test_a_forbidden_import_breaks_its_contract(broken, contract, file, line):
    importer = ".".join(["carapulse", *Path(file).with_suffix("").parts]).removesuffix(".__init__")
    by_itself = rf"- {importer} -> {line.removeprefix('import ')} \([l., \d]+\)(?! \S+ ->)"

    assert re.search(by_itself, broken[contract])


def test_each_contract_is_shown_to_fail():
    assert {name for name, _, _ in FORBIDDEN} == set(CONTRACTS)


def test_a_new_part_of_the_package_must_be_given_a_place(copy):
    folder = copy / "shared" / "carapulse" / "somewhere"
    folder.mkdir()
    (folder / "__init__.py").touch()

    code, said = lint(copy, "--contract", "downward")

    shutil.rmtree(folder)
    assert code == 1, said
    assert "somewhere" in said


def areas():
    """Return the folders that are areas: those that say how they fail, but the ways in and the vocabulary."""
    return {f"carapulse.{file.parent.name}" for file in PACKAGE.glob("*/errors.py")} - {"carapulse.kernel"}


def test_every_area_is_held_by_the_contracts_about_areas():
    assert areas() <= set(CONTRACTS["inside"]["containers"])
    assert areas() <= set(CONTRACTS["technology"]["source_modules"])


def test_every_area_with_tables_keeps_them_private():
    keeping = {file.parent.name for file in PACKAGE.glob("*/tables.py")}

    assert {f"{area}-private" for area in keeping} <= set(CONTRACTS)
