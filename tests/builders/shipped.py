"""What comes with the program, read once for all tests."""

from functools import cache
from pathlib import Path

from tests.builders.policy import the_engine

from carapulse.bootstrap.shipped import Shipped
from carapulse.integrations import builtin_manifests


@cache
def the_shipped(*more: Path) -> Shipped:
    """Return the shipped rules, tools and recipes, and more tools."""
    return Shipped(the_engine(), (*builtin_manifests(), *more))
