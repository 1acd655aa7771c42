"""One installation whose collectors ask a small Grafana; each test has a tenant of its own, and leaves no collector."""

from itertools import count

import pytest
from tests.world.collecting import Dashboards, a_desk

_numbers = count(1)


@pytest.fixture(scope="module")
def there(module_database, tmp_path_factory):
    with a_desk(module_database.app_url, tmp_path_factory.mktemp("collecting")) as there:
        yield there


@pytest.fixture
def desk(there):
    desk, boards = there
    desk.tenant = f"tenant-{next(_numbers)}"
    vars(boards).update(vars(Dashboards()))
    yield desk
    for each in desk.ask("GET", "/v1/collectors").json()["data"]:
        assert desk.ask("DELETE", f"/v1/collectors/{each['name']}", headers={"if-match": "*"}).status_code == 204
    desk.workers.run_until_idle()


@pytest.fixture
def boards(there):
    return there[1]
