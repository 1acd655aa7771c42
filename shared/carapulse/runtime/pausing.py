"""How long to wait before trying again: longer each time, and never all at the same moment."""

import random

_FIRST_S = 0.1
_MOST_DOUBLINGS = 16


def pause_s(failures: int, longest_s: float) -> float:
    """Return a back-off with jitter after so many failures: between half and all of it, and never above the longest."""
    longest = min(longest_s, _FIRST_S * 2 ** min(failures, _MOST_DOUBLINGS))
    return random.uniform(longest / 2, longest)  # noqa: S311 - jitter
