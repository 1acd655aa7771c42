"""What every record has in common."""

from typing import Annotated

from carapulse.kernel.record import IN_ORDER, Record

NAMES = [f"name-{number:02}" for number in range(30)]


class Named(Record):
    """Something with a set of names."""

    names: Annotated[frozenset[str], IN_ORDER] = frozenset()


def test_a_set_of_names_is_spelled_in_order_and_stays_a_set_otherwise():
    named = Named(names=frozenset(reversed(NAMES)))

    assert named.model_dump(mode="json") == {"names": NAMES}
    assert named.model_dump()["names"] == frozenset(NAMES)
    assert Named().model_dump_json(exclude_defaults=True) == "{}"
