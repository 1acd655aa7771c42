"""What a collector.yaml must say to be trusted."""

from pathlib import Path

import pytest
import yaml
from tests.builders.documents import with_another
from tests.builders.tools import BUILTIN

import carapulse.integrations
from carapulse.collection.definitions import load_definition
from carapulse.collection.errors import DefinitionInvalid

GOOD = yaml.safe_load((Path(carapulse.integrations.__file__).parent / "grafana" / "collector.yaml").read_text())


def changed(*place, to):
    """Return the collector with something else at a place."""
    return with_another(GOOD, place, to)


def load(folder, document):
    path = folder / "collector.yaml"
    path.write_text(yaml.safe_dump(document))
    return load_definition(path, BUILTIN)


def test_the_original_is_trusted(tmp_path):
    assert load(tmp_path, GOOD).system == "grafana"


@pytest.mark.parametrize(
    ("document", "pointer", "code"),
    [
        (changed("system", to="toaster"), "/system", "unknown-tool"),
        (changed("reads", "folders", "action", to="nope"), "/reads/folders/action", "unknown-action"),
        (changed("reads", "folders", "action", to="dashboard_delete"), "/reads/folders/action", "effect"),
        (changed("reads", "folders", "input", to={"many": "`1`"}), "/reads/folders/input/many", "unknown-field"),
        (changed("reads", "folders", "input", to={"limit": "input.many"}), "/reads/folders/input", "reference"),
        (changed("reads", "folders", "input", to={"limit": "["}), "/reads/folders/input/limit", "value_error"),
        (changed("reads", "folders", "each", to="boards.many"), "/reads/folders/each", "reference"),
        (changed("nodes", 0, "of", to="drawers[]"), "/nodes/0/of", "reference"),
        (changed("nodes", 0, "name", to="thing.title"), "/nodes/0", "reference"),
        (changed("nodes", 0, "name", to="other.title"), "/nodes/0", "reference"),
        (changed("nodes", 0, "kind", to="Grafana Folder"), "/nodes/0/kind", "string_pattern_mismatch"),
        (changed("nodes", 0, "id", to=["item.uid"]), "/nodes/0/id", "too_short"),
        (changed("edges", 0, "other", "same", to=["item.uid", "item.uid"]), "/edges/0/other", "reference"),
        (changed("edges", 0, "other", "same", to=["other.uid", "other.uid"]), "/edges/0/other", "reference"),
        (changed("place", to="item.uid"), "/place", "reference"),
        (changed("example", to={"x": 1}), "/example/x", "unknown-field"),
        (changed("input", to={"type": "object"}), "/input", "open-object"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_one_that_refers_to_what_is_not_there_or_does_more_than_read_is_refused(tmp_path, document, pointer, code):
    with pytest.raises(DefinitionInvalid) as refused:
        load(tmp_path, document)

    assert (pointer, code) in {(each.pointer, each.code) for each in refused.value.faults}


def test_a_read_must_say_when_its_answer_is_whole(tmp_path):
    document = yaml.safe_load(yaml.safe_dump(GOOD))
    del document["reads"]["folders"]["whole"]

    with pytest.raises(DefinitionInvalid) as refused:
        load(tmp_path, document)

    assert [each.pointer for each in refused.value.faults] == ["/reads/folders/whole"]
