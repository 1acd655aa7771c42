"""A durable Postgres of the bench's own, unlike the tests' fast one."""

from collections.abc import Iterator

import pytest
from tests.bench.measuring import Bench, make_database
from tests.builders.instant import an_instant_rig
from tests.conftest import a_folder

from carapulse.adapters.embedded.postgres import EmbeddedPostgres


@pytest.fixture(scope="session")
def bench() -> Iterator[Bench]:
    """Start everything once for all benches."""
    with a_folder() as folder:
        server = EmbeddedPostgres.start(folder)
        rig = an_instant_rig(make_database(server), folder / "data", workers=8)
        bench = Bench(server, rig)
        bench.prepare()
        yield bench
        rig.close()
        server.stop()
