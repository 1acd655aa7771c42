"""An application on a database of the test's own."""

import pytest
from tests.builders.application import Application, a_policy

from carapulse.adapters.postgres.engine import connect


@pytest.fixture(scope="session")
def policy():
    return a_policy()


@pytest.fixture
def app(database, policy):
    engine = connect(database.app_url, pool_size=24)
    yield Application(engine, policy)
    engine.dispose()
