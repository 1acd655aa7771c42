"""One application for all tests of the context; each asks it over HTTP in the name of its own tenant."""

from datetime import timedelta
from itertools import count

import pytest
from tests.builders.caller import Caller
from tests.builders.shared import Tenant, a_database, an_application

_numbers = count(1)


@pytest.fixture(scope="module")
def app(postgres, tmp_path_factory):
    folder = tmp_path_factory.mktemp("context")
    with a_database(postgres, "test_context") as database, an_application(database, folder) as built:
        yield built


@pytest.fixture(scope="module")
def caller(app):
    return Caller(app)


@pytest.fixture
def ask(caller):
    return Tenant(caller, f"tenant-{next(_numbers)}")


class Sources:
    """Report in the name of sources, each a second after the other."""

    def __init__(self, ask, clock):
        self.ask, self.clock = ask, clock

    def __call__(self, source, nodes=(), edges=(), **rest):
        self.clock.move(timedelta(seconds=1))
        body = {"source": source, "nodes": list(nodes), "edges": list(edges)}
        body.update({name: rest.pop(name) for name in ("complete",) if name in rest})
        return self.ask("POST", "/v1/context:refresh", body, **{"role": "service", **rest})


@pytest.fixture
def report(ask, app):
    return Sources(ask, app.clock)
