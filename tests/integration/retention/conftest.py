"""A growing application on a database of its own."""

import pytest
from tests.builders.growing import App, MovedClock
from tests.conftest import a_folder

from carapulse.adapters.files.blobs import FileBlobs
from carapulse.adapters.postgres.engine import connect
from carapulse.audit.note import Signer


@pytest.fixture
def app(database):
    engine = connect(database.app_url, pool_size=16)
    with a_folder() as folder:
        yield App(engine, MovedClock(), Signer.new("carapulse.dev/log/test"), FileBlobs(folder / "blobs"))
    engine.dispose()
