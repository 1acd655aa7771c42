"""What is given on the command line and in files."""

import pytest

from carapulse.surfaces.cli.errors import Misused
from carapulse.surfaces.cli.options import context_of, pairs, read_document, read_object


def test_text_stays_text_unless_json_is_asked_for():
    assert pairs(["version=1.10", "replicas:=3", "note=a=b", "empty="]) == {
        "version": "1.10",
        "replicas": 3,
        "note": "a=b",
        "empty": "",
    }


@pytest.mark.parametrize("given", ["novalue", "=value", ":=3", "replicas:=three"])
def test_what_is_no_pair_is_refused(given):
    with pytest.raises(Misused):
        pairs([given])


def test_the_context_is_named_as_people_say_it():
    assert context_of("dev", ["cluster=one", "service=shop"]) == {
        "environment": "dev",
        "cluster_id": "one",
        "service": "shop",
    }


def test_a_date_in_yaml_stays_text(tmp_path):
    path = tmp_path / "plan.yaml"
    path.write_text("day: 2026-01-31\ncount: 3\n")

    assert read_object(str(path)) == {"day": "2026-01-31", "count": 3}


@pytest.mark.parametrize("content", [b"a: [", b"\xff\xfe\x00", b"!!python/object/apply:os.system ['true']"])
def test_a_file_that_is_neither_yaml_nor_json_is_refused(tmp_path, content):
    path = tmp_path / "plan.yaml"
    path.write_bytes(content)

    with pytest.raises(Misused):
        read_document(str(path))


def test_a_missing_file_is_refused():
    with pytest.raises(Misused):
        read_document("/nowhere/plan.yaml")


def test_a_list_is_no_object(tmp_path):
    path = tmp_path / "plan.yaml"
    path.write_text("- 1\n")

    with pytest.raises(Misused):
        read_object(str(path))
