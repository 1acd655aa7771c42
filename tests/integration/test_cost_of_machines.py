"""What one change asks of a cloud where a state machine carries it, counted; docs/costs keeps it."""

from collections import Counter

import pytest
from anyio.from_thread import start_blocking_portal
from tests.builders.rates import GENEROUS
from tests.integration.test_cost import COUNTS, Installation
from tests.world.conducted import Conducted
from tests.world.machines import a_machine
from tests.world.server import a_world

from carapulse.approvals.consumers import consumers as approvals
from carapulse.intake.consumers import consumers as planning
from carapulse.orchestration.consumers import plans, steps

FUNCTIONS = {"planning": planning, "approvals": approvals, "executions": steps, "orchestration": plans}
ASKS = {"Decide", "AwaitApproval", "AwaitStart", "Attempt"}


class Carried(Installation):
    """The same, and a machine that has to be waited for."""

    functions = FUNCTIONS

    def delivered_until(self, where):
        """Deliver until the machine of the one plan stands still somewhere, or has ended."""
        self.rig.until(lambda: self.deliver() or where in self._places())

    def _places(self):
        ends = {self.rig.machine.status(arn) for arn in self.rig.machine.executions()}
        return ends | {asked for (asked,) in self.rig.rows("SELECT asked FROM machine_waits")}

    def planned(self):
        self.delivered_until("AwaitApproval")

    def approved(self):
        self.delivered_until("AwaitStart")

    def executed(self):
        self.delivered_until("SUCCEEDED")


@pytest.fixture
def installed(database, tmp_path):
    with a_machine("cost") as machine, a_world() as world, start_blocking_portal() as portal:
        rig = Conducted(database.app_url, world, tmp_path / "data", machine, **GENEROUS)
        yield Carried(rig, machine.queues, portal)
        rig.close()


def test_a_change_that_a_machine_carries_asks_for_what_the_page_about_cost_counts(installed):
    installed.a_change("hall")
    (arn,) = installed.rig.machine.executions()
    entered = installed.rig.machine.entered(arn)
    asked = {**installed.invoked, "machine": sum(name in ASKS for name in entered)}
    took = {name: round(seconds / installed.invoked[name], 3) for name, seconds in installed.seconds.items()}
    print(asked, len(entered), Counter(entered), took)  # noqa: T201 - for whoever renews the page

    assert len(entered) == COUNTS["carried"]["state_transitions"]
    assert asked == pytest.approx(COUNTS["carried"]["asked"], rel=0.1)
