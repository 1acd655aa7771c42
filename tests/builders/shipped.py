"""What comes with the program, read once for all tests."""

from functools import cache
from pathlib import Path

from tests.builders.policy import the_engine

from carapulse.bootstrap.shipped import Shipped
from carapulse.integrations import builtin_manifests
from carapulse.tools.catalogue import Catalogue
from carapulse.workflows.book import Workflows, builtin_recipes


@cache
def the_shipped(*more: Path) -> Shipped:
    """Return the shipped tools, recipes and rules, and more tools."""
    manifests = (*builtin_manifests(), *more)
    return Shipped(manifests, Catalogue.load(manifests), Workflows.load(builtin_recipes()), the_engine())
