"""What a machine is told and how it is looked after, with the test in the machine's place."""

from dataclasses import dataclass, field, replace

import pytest
from tests.world.rig import Rig, a_call, act, check
from tests.world.server import a_world

from carapulse.orchestration.messages import bells_for
from carapulse.orchestration.model import MachineStatus
from carapulse.policy.errors import PolicyDenied
from carapulse.runtime.areas import handlers
from carapulse.runtime.workers import Workers


@dataclass
class Played:
    """Machines that run unless a test says otherwise, and what they were told."""

    statuses: dict[str, MachineStatus] = field(default_factory=dict)
    started: dict[str, dict[str, object]] = field(default_factory=dict)
    told: list[tuple[str, dict[str, object]]] = field(default_factory=list)

    def start(self, change, name):
        self.started[name] = change

    def tell(self, token, told):
        self.told.append((token, told))

    def refuse(self, token, error, cause):
        self.told.append((token, {"error": error, "cause": cause}))

    def beat(self, token):
        pass

    def status(self, name):
        return self.statuses.get(name, MachineStatus.RUNNING)


class ByHand(Rig):
    """An installation whose machines are played by the test."""

    def __init__(self, database_url, world, folder):
        super().__init__(database_url, world, folder)
        self.machines = Played()
        self.app = replace(self.app, configured_machines=self.machines, bells=bells_for)
        self.workers = Workers(
            self.app.queue, handlers("step-functions"), self.app, self.app.clock, 1, 20, self.settings.max_deliveries
        )

    def settled(self, *steps, **more):
        """Make a plan whose machine has been started, and return its id."""
        plan = self.plan(*(steps or (act("switch", "hall"), check("hall"))), **more)
        self.workers.run_until_idle()
        return plan.plan_id


@pytest.fixture(scope="module")
def rig(module_database, tmp_path_factory):
    with a_world() as world:
        one = ByHand(module_database.app_url, world, tmp_path_factory.mktemp("by-hand"))
        yield one
        one.close()


@pytest.fixture(autouse=True)
def _anew(rig):
    rig.machines.statuses.clear()
    rig.machines.told.clear()


def waiting(rig):
    with rig.app.begin(a_call()) as work:
        rows = work.connection.exec_driver_sql("SELECT type, last_error, attempts FROM messages")
        return [tuple(row) for row in rows if row.attempts]


def test_a_plan_that_policy_refused_needs_no_machine(rig):
    bounds = {"allowed_environments": ["dev"]}
    with pytest.raises(PolicyDenied):
        rig.plan(act("switch", "hall"), check("hall"), environment="prod", constraints=bounds)
    rig.workers.run_until_idle()

    assert waiting(rig) == []
