"""A served installation on a database of its own."""

import pytest
from tests.builders.following import Installation, Site, serving
from tests.builders.held import HeldInstallation
from tests.world.sockets import sockets


@pytest.fixture
def installation(database, tmp_path):
    """An installation without a server."""
    made = Installation(database.app_url, tmp_path)
    yield made
    made.close()


@pytest.fixture
def site(installation):
    """The same, served."""
    with serving(installation) as port:
        made = Site(installation, port)
        yield made
        made.http.close()


@pytest.fixture
def held(database, tmp_path):
    """An installation whose clients' sockets a gateway holds."""
    with sockets() as world:
        made = HeldInstallation(database.app_url, tmp_path, world)
        yield made
        made.close()
