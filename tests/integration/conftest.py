"""The application under test, on a database and in a world of its own."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.conftest import Database
from tests.world.rig import Rig
from tests.world.server import World, a_world


@pytest.fixture
def world() -> Iterator[World]:
    """Run a world."""
    with a_world() as running:
        yield running


@pytest.fixture
def rig(database: Database, world: World, tmp_path: Path) -> Iterator[Rig]:
    """Build the application."""
    built = Rig(database.app_url, world, tmp_path / "data", visibility_s=2)
    yield built
    built.close()
