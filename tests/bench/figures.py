"""Figures of several rounds: the middle, the extremes, and how they are printed."""

import math
from collections.abc import Sequence
from statistics import median

ROUNDS = 5


def middle(values: Sequence[float]) -> float:
    """Return the median."""
    return float(median(values))


def percentile(values: Sequence[float], percent: int) -> float:
    """Return the smallest value that so many percent of the values do not exceed."""
    return sorted(values)[max(0, math.ceil(len(values) * percent / 100) - 1)]


def said(values: Sequence[float], digits: int = 0) -> str:
    """Return the median, and the extremes in brackets."""
    return f"{middle(values):9,.{digits}f} ({min(values):,.{digits}f}-{max(values):,.{digits}f})"


def ratio(ours: Sequence[float], theirs: Sequence[float]) -> float:
    """Return the median of the rounds' own ratios: a slow minute slows both."""
    return middle([mine / other for mine, other in zip(ours, theirs, strict=True)])


def line(what: str, figure: str, more: str = "") -> None:
    """Print one line of the table."""
    print(f"{what:<46}{figure:<28}{more}", flush=True)
