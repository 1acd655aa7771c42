"""What all sources together say: who is believed, and how much there may be."""

from datetime import timedelta

import pytest
from tests.builders.plans import NOON

from carapulse.context.errors import ContextTooLarge
from carapulse.context.model import MOST_NODES, RefreshContext
from carapulse.context.statements import Statements

NOTHING = Statements({}, {})


def a_report(source, *names, **facts):
    nodes = [{"id": name, "kind": "service", "name": name, **facts} for name in names]
    return RefreshContext.model_validate({"source": source, "nodes": nodes})


def test_of_what_was_said_at_once_the_first_source_by_name_is_believed():
    said = NOTHING.refreshed(a_report("b", "shop"), NOON).refreshed(a_report("a", "shop"), NOON)

    assert said.graph().nodes["shop"].source == "a"


def test_what_is_only_repeated_keeps_its_moment():
    said = NOTHING.refreshed(a_report("a", "shop"), NOON)

    assert said.refreshed(a_report("a", "shop"), NOON + timedelta(hours=1)) == said


def test_a_graph_says_the_same_whatever_the_order_of_reports():
    there = NOTHING.refreshed(a_report("a", "x", "y"), NOON).refreshed(a_report("b", "z"), NOON)
    back = NOTHING.refreshed(a_report("b", "z"), NOON).refreshed(a_report("a", "y", "x"), NOON)

    assert there.graph().content == back.graph().content


def test_labels_that_every_node_has_are_the_graphs():
    said = NOTHING.refreshed(a_report("a", "x", labels={"cluster": "one", "tier": "gold"}), NOON)
    said = said.refreshed(a_report("b", "z", labels={"cluster": "one", "tier": "lead"}), NOON)

    assert said.graph().labels == {"cluster": "one"}


def test_there_may_be_only_so_many_nodes():
    full = NOTHING.refreshed(a_report("a", *(f"n{number}" for number in range(MOST_NODES))), NOON)

    with pytest.raises(ContextTooLarge):
        full.refreshed(a_report("b", "one-more"), NOON)
