"""The examples of the pages about tools are right."""

import re
from pathlib import Path

from tests.builders.tools import BUILTIN, Reply, Runs, a_connection, a_manifest, a_server, a_toolbox, an_invocation

from carapulse.tools.catalogue import Catalogue
from carapulse.tools.connections import Connections

PAGES = Path(__file__).parents[2] / "docs" / "how-to"


def example(page: str) -> str:
    """Return the first YAML of a page."""
    found = re.search(r"```yaml\n(.*?)```", (PAGES / page).read_text(), re.DOTALL)
    assert found
    return found[1]


def test_the_connections_of_the_page_are_right(tmp_path: Path):
    path = tmp_path / "connections.yaml"
    path.write_text(example("connect-a-tool.md"))

    assert [each.name for each in Connections.load(path, BUILTIN).all] == ["deployments", "eu-1", "prod", "probes"]


def test_the_manifest_of_the_page_works_and_undoes_itself(tmp_path: Path):
    catalogue = Catalogue.load([a_manifest(tmp_path, example("add-a-tool.md"))])
    answers = {
        ("GET", "/v1/lamps/corridor-1"): Reply({"level": 30, "colour": "warm"}),
        ("PUT", "/v1/lamps/corridor-1"): Reply({"level": 80}),
    }
    with a_server(answers) as server:
        run = Runs(a_toolbox(a_connection("lamps", base_url=server.url), catalogue=catalogue))
        invocation = run.captured(an_invocation("lamps.set", {"lamp": "corridor-1", "level": 80}))
        undo = catalogue.undo(invocation, run(invocation).output)

    assert server.last.json == {"level": 80, "expected": 30}
    assert undo is not None
    assert undo.input == {"lamp": "corridor-1", "level": 30}
