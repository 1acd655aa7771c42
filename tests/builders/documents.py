"""Documents that differ from a good one in one place."""

import copy


def with_another(document, place, value):
    """Return a copy of a document with another value in a place."""
    if not place:
        return value
    changed = copy.deepcopy(document)
    node = changed
    for part in place[:-1]:
        node = node[part]
    node[place[-1]] = value
    return changed
