"""What carries changes in these tests."""

from collections.abc import Iterator

import pytest
from tests.world.machines import MachineWorld, a_machine


@pytest.fixture(scope="module")
def machine() -> Iterator[MachineWorld]:
    """Deploy one machine for the tests of a module, each of which begins without a trace of the others."""
    with a_machine("carrying") as one:
        yield one
