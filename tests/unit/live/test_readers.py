"""Every kind of event has its readers."""

import re
from pathlib import Path

from carapulse.identity.permissions import PERMISSIONS
from carapulse.live.readers import READERS

EVENTS = Path(__file__).parents[3] / "docs" / "reference" / "events.md"


def test_the_table_names_every_kind_of_event_and_no_other():
    assert set(READERS) == set(re.findall(r"^\| `(\w+)` \|", EVENTS.read_text(), re.MULTILINE))


def test_the_table_names_permissions_that_exist():
    assert set(READERS.values()) <= PERMISSIONS
