"""Every deployed function is whole: its code, what each cloud must know, its line in serverless.yml, and its tests."""

from pathlib import Path

import pytest
import yaml
from infra.aws.template import load

ROOT = Path(__file__).parents[2]
ON_AWS_ALONE = {"live", "orchestration", "pusher"}
"""Functions without a service.yml: only AWS has what would ask them."""
FOLDERS = sorted(each for each in (ROOT / "functions").iterdir() if each.is_dir() and each.name != "__pycache__")
SERVERLESS = load(ROOT / "serverless.yml")
TESTS = "".join(each.read_text() for each in sorted((ROOT / "tests" / "functions").glob("test_*.py")))


def named(folder):
    return folder.name


def test_serverless_lists_each_function_by_its_file_and_no_other():
    assert SERVERLESS["functions"] == {each.name: f"${{file(functions/{each.name}/function.yml)}}" for each in FOLDERS}


@pytest.mark.parametrize("folder", FOLDERS, ids=named)
def test_a_function_has_its_files_and_no_others(folder):
    told = {"function.yml"} if folder.name in ON_AWS_ALONE else {"function.yml", "service.yml"}

    assert {each.name for each in folder.iterdir()} - {"__pycache__"} == {"main.py", *told}


@pytest.mark.parametrize("folder", FOLDERS, ids=named)
def test_aws_is_told_the_handler_that_is_there(folder):
    told = load(folder / "function.yml")

    assert told["handler"] == f"functions/{folder.name}/main.lambda_handler"
    assert "def lambda_handler(" in (folder / "main.py").read_text()
    assert f'@measured("{folder.name}")\ndef lambda_handler(' in (folder / "main.py").read_text(), (
        "nobody hears its metrics"
    )
    assert told["description"]


@pytest.mark.parametrize("folder", [each for each in FOLDERS if each.name not in ON_AWS_ALONE], ids=named)
def test_a_container_is_told_the_file_and_the_target_that_are_there(folder):
    told = yaml.safe_load((folder / "service.yml").read_text())
    (container,) = told["spec"]["template"]["spec"]["containers"]
    arguments, code = container["args"], (folder / "main.py").read_text()

    assert told["metadata"]["name"] == f"carapulse-{folder.name}"
    match arguments[0]:
        case "functions-framework":
            assert f"functions/{folder.name}/main.py" in arguments
            assert f"def {arguments[arguments.index('--target') + 1]}(" in code
            assert arguments[arguments.index("--signature-type") + 1] == "http", "any other drops who calls"
        case "uvicorn":
            assert f"functions/{folder.name}" in arguments
            assert "\napp = " in code
        case _:
            assert arguments == ["python", f"functions/{folder.name}/main.py"]
            assert "__main__" in code


@pytest.mark.parametrize("folder", FOLDERS, ids=named)
def test_a_function_begins_by_saying_what_it_is(folder):
    assert (folder / "main.py").read_text().startswith(f'"""{folder.name}: ')


@pytest.mark.parametrize("folder", FOLDERS, ids=named)
def test_a_function_is_tested_through_both_of_its_entry_points(folder):
    on_lambda = f'on_lambda("{folder.name}"' in TESTS or f'on_lambda)("{folder.name}"' in TESTS
    elsewhere = [
        f'on_framework("{folder.name}"',
        f'on_framework)("{folder.name}"',
        f'on_google("{folder.name}"',
        f'on_uvicorn("{folder.name}"',
        f'run("{folder.name}"',
    ]

    assert on_lambda
    assert any(each in TESTS for each in elsewhere) or folder.name in ON_AWS_ALONE


def test_the_messages_of_each_area_are_taken_by_one_function():
    areas = [each.parent.name for each in (ROOT / "shared" / "carapulse").glob("*/consumers.py")]
    mains = [(folder / "main.py").read_text() for folder in FOLDERS]

    assert areas
    taken = {area: sum(f"from carapulse.{area}.consumers" in main for main in mains) for area in areas}
    # Who takes what executions are sent depends on the orchestrator: runtime/carrying.py says who.
    assert taken == {**dict.fromkeys(areas, 1), "executions": 0}
    assert sum("carriers(app.settings.orchestrator)" in main for main in mains) == 1
