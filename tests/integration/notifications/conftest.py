"""One installation for the tests of a module, each of which has a tenant of its own, and two receivers."""

import time
from contextlib import ExitStack, contextmanager
from itertools import count

import pytest
from sqlalchemy import text
from tests.builders.caller import Caller
from tests.builders.receiving import a_receiver
from tests.builders.shared import Tenant, a_database
from tests.conftest import a_folder
from tests.world.rig import Rig, a_call, act, check
from tests.world.server import a_world

from carapulse.plans.events import PlanClosed

_tenants = count(1)


class Site:
    """One tenant: what its people ask, what happens in it, and the work that is left to do."""

    def __init__(self, rig, caller, name):
        self.rig = rig
        self.ask = Tenant(caller, name)
        self.name = name

    def put(self, name, url, **given):
        body = {"kind": "webhook", "url": url, "events": ["ApprovalRequested"], **given}
        etag = self.ask("GET", f"/v1/channels/{name}").headers.get("ETag")
        headers = {"If-Match": etag} if etag else {"If-None-Match": "*"}
        return self.ask("PUT", f"/v1/channels/{name}", body, headers=headers)

    def delete(self, name):
        path = f"/v1/channels/{name}"
        return self.ask("DELETE", path, headers={"If-Match": self.ask("GET", path).headers["ETag"]})

    def plan(self, environment="prod", summary="Light the hall", lamp="hall"):
        """Make a plan that somebody has to approve."""
        body = {
            "summary": summary,
            "context": {"environment": environment},
            "steps": [act("switch", lamp), check(lamp)],
        }
        made = self.ask("POST", "/v1/plans", body)
        assert made.status_code == 201, made.text
        return made.json()

    def work(self, seconds=0.0, until=lambda: False):
        """Do what a second of the program does, and then what is left to do, until something holds or for so long."""
        end = time.monotonic() + seconds
        while True:
            self.rig.tick()
            self.rig.workers.run_until_idle()
            if until() or time.monotonic() >= end:
                return
            time.sleep(0.05)

    @contextmanager
    def at_work(self, count):
        """Let workers do what is to be done, in threads, as the program has them."""
        workers = self.rig.new_workers(count)
        workers.start()
        try:
            yield
        finally:
            workers.stop(10)

    def deliveries(self, name, **filters):
        return self.ask("GET", f"/v1/channels/{name}/deliveries", params=filters).json()["data"]

    def call(self, who="ada", *roles):
        """Return a call, such as that of a message that is handled by hand."""
        return a_call(who, *roles, tenant=self.name)

    def happen(self, stream):
        """Write an event."""
        with self.rig.app.begin(self.call()) as work:
            work.record(stream, PlanClosed(plan_id=stream, reason="not today"))

    def sql(self, statement, **given):
        with self.rig.app.begin(self.call()) as work:
            found = work.connection.execute(text(statement), given)
            return [tuple(row) for row in found] if found.returns_rows else found.rowcount

    def events(self, kind):
        return [each for each in self.log() if each["type"] == kind]

    def log(self):
        return self.ask("GET", "/v1/audit/events", params={"limit": 200}).json()["data"]


@pytest.fixture(scope="module")
def receivers():
    with ExitStack() as stack:
        yield [stack.enter_context(a_receiver()) for _ in range(2)]


@pytest.fixture(scope="module")
def installation(postgres, receivers):
    with ExitStack() as stack:
        database = stack.enter_context(a_database(postgres, "notifications"))
        world = stack.enter_context(a_world())
        folder = stack.enter_context(a_folder())
        reachable = [each.address for each in receivers]
        rig = Rig(database.app_url, world, folder, channel_addresses=[*reachable, "127.0.0.1:9"], visibility_s=2)
        stack.callback(rig.close)
        yield rig, Caller(rig.app), database


@pytest.fixture
def site(installation, receivers):
    for each in receivers:
        each.got, each.answers, each.headers = [], [], {}
    rig, caller, database = installation
    with database.as_superuser() as connection:
        connection.run("DELETE FROM messages")  # what other tests left undone
    yield Site(rig, caller, f"tenant-{next(_tenants)}")
    rig.app.engine.dispose()


@pytest.fixture
def other(installation):
    rig, caller, _ = installation
    return Site(rig, caller, f"tenant-{next(_tenants)}")


@pytest.fixture
def receiver(receivers):
    return receivers[0]
