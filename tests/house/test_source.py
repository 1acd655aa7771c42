"""The rules of style.md that a machine can see."""

import ast
import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "shared" / "carapulse"
SHIPPED = sorted([*PACKAGE.rglob("*.py"), *(ROOT / "functions").rglob("*.py")])
EVERY = sorted([*SHIPPED, *(ROOT / "infra").rglob("*.py"), *(ROOT / "tests").rglob("*.py")])
LONGEST_FILE, LONGEST_FUNCTION = 300, 40
ONE_FILE_BY_DESIGN = {
    "shared/carapulse/audit/verifier.py",  # an auditor takes this file alone, without the package
}
CLOCK = {"kernel/clock.py", "kernel/ids.py"}
ENVIRONMENT = {
    "settings/__init__.py",
    "integrations/git/commands.py",  # a program of its own, which its parent gives a minimal environment
}
NAMES_OF_THIS_MACHINE = re.compile(r"(?<![\w.$}/-])/(?:work|home|root|Users)/[\w.]")


def named(path):
    """Return how a test of this file is called."""
    return str(path.relative_to(ROOT))


def found(pattern, files):
    """Return the files of the package, named from its root, whose code has a pattern."""
    return {str(each.relative_to(PACKAGE)) for each in files if re.search(pattern, each.read_text())}


def functions(tree):
    return [each for each in ast.walk(tree) if isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef)]


def lines(function):
    return set(range(function.lineno, function.end_lineno + 1))


def length(function):
    """Return how many lines a function has without the functions inside it."""
    return len(lines(function).difference(*(lines(each) for each in functions(function) if each is not function)))


def test_a_function_fits_on_a_screen():
    every = ((path, each) for path in EVERY for each in functions(ast.parse(path.read_text())))

    # Only a function that is long with the functions inside it can be too long without them.
    long = [(path, each) for path, each in every if each.end_lineno - each.lineno >= LONGEST_FUNCTION]
    assert not [f"{named(path)}: {each.name}" for path, each in long if length(each) > LONGEST_FUNCTION]


def test_a_file_can_be_read_at_once():
    long = {named(path) for path in SHIPPED if len(path.read_text().splitlines()) > LONGEST_FILE}

    assert long <= ONE_FILE_BY_DESIGN


def test_exceptions_to_the_size_are_still_needed():
    assert all(len((ROOT / name).read_text().splitlines()) > LONGEST_FILE for name in ONE_FILE_BY_DESIGN)


def swallows(tree):
    """Return whether something catches everything and doesn't raise it again."""
    handlers = [each for each in ast.walk(tree) if isinstance(each, ast.ExceptHandler)]
    broad = [
        each for each in handlers if each.type is None or "Exception" in re.findall(r"\w+", ast.unparse(each.type))
    ]
    broad += [
        each for each in handlers if each.type and "BaseException" in ast.unparse(each.type) and not ends_in_raise(each)
    ]
    return bool(broad)


def ends_in_raise(handler):
    return isinstance(handler.body[-1], ast.Raise) and handler.body[-1].exc is None


def test_only_the_edges_catch_what_they_do_not_know():
    inside = [each for each in SHIPPED if "runtime" not in each.relative_to(ROOT).parts]

    assert inside
    assert not [named(each) for each in inside if swallows(ast.parse(each.read_text()))]


def test_the_wall_clock_is_read_in_one_place():
    assert found(r"\bdatetime\.now\(|\butcnow\(|\btime\.time(_ns)?\(|\bdate\.today\(", PACKAGE.rglob("*.py")) == CLOCK


def test_the_environment_is_read_in_one_place():
    assert found(r"\bos\.environ|\bgetenv\(", PACKAGE.rglob("*.py")) == ENVIRONMENT


def test_no_file_names_a_folder_of_somebodys_machine():
    kinds = {".py", ".md", ".toml", ".yml", ".yaml", ".rego", ".json", ".sh", ""}
    folders = [ROOT / name for name in ("shared", "functions", "tests", "policies", "docs", "infra", ".ci")]
    files = [each for folder in folders for each in folder.rglob("*") if each.is_file() and each.suffix in kinds]

    files += [each for each in ROOT.iterdir() if each.is_file() and each.suffix in {".md", ".toml", ".yml"}]

    assert not [named(each) for each in files if NAMES_OF_THIS_MACHINE.search(each.read_text(errors="replace"))]


def test_nothing_is_left_to_be_done_later():
    marks = re.compile(r"#.*\b(TODO|FIXME|XXX|HACK)\b")

    assert not [named(each) for each in SHIPPED if marks.search(each.read_text())]
