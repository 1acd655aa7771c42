"""The application under test, on a database and in a world of its own."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.conftest import Database
from tests.world.rig import Rig
from tests.world.server import World, a_world

_COUNTS_WHAT_IS_READ = {"test_growth.py", "test_the_price_beside_many.py", "test_the_price_in_counts.py"}
"""What the planner knows of tables, and how large they are, is left behind by whoever had a database before."""


@pytest.fixture
def database(request: pytest.FixtureRequest) -> Database:
    """Give the test a database that others have had, unless it must be new."""
    is_new = request.path.name in _COUNTS_WHAT_IS_READ
    given: Database = request.getfixturevalue("own_database" if is_new else "database_in_turn")
    return given


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
