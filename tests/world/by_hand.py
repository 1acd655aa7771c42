"""An installation whose state machines a test plays itself: no cloud, no threads, every word in the test's hand."""

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from tests.world.rig import Rig, a_call, act, check
from tests.world.server import World

from carapulse.kernel.errors import Unavailable
from carapulse.orchestration.errors import MachineDeaf
from carapulse.orchestration.machines import look_after_machines
from carapulse.orchestration.messages import AttemptAsked, MachineAsked
from carapulse.orchestration.model import Asked, Change, MachineStatus, StepOf
from carapulse.orchestration.ringing import PURPOSE
from carapulse.orchestration.telling import answer_machine
from carapulse.runtime.areas import handlers
from carapulse.runtime.workers import Workers


@dataclass
class Played:
    """Machines that run unless a test says otherwise, and what they were told."""

    statuses: dict[str, MachineStatus | Exception] = field(default_factory=dict)
    started: dict[str, dict[str, Any]] = field(default_factory=dict)
    away: set[str] = field(default_factory=set)
    deaf: set[str] = field(default_factory=set)
    stopped: list[str] = field(default_factory=list)
    beats: list[str] = field(default_factory=list)
    told: list[tuple[str, dict[str, Any]]] = field(default_factory=list)

    def start(self, change: dict[str, Any], name: str) -> None:
        self.started[name] = change

    def tell(self, token: str, told: dict[str, Any]) -> None:
        if token in self.deaf:
            raise MachineDeaf("it does not wait any more")
        if token in self.away:
            raise Unavailable("Step Functions refused", code="ThrottlingException")
        self.told.append((token, told))

    def refuse(self, token: str, error: str, cause: str) -> None:
        self.told.append((token, {"error": error, "cause": cause}))

    def beat(self, token: str) -> None:
        if token in self.deaf:
            raise MachineDeaf("it does not wait any more")
        self.beats.append(token)

    def stop(self, name: str, cause: str) -> None:
        self.stopped.append(f"{name}: {cause}")

    def status(self, name: str) -> MachineStatus:
        status = self.statuses.get(name, MachineStatus.RUNNING)
        if isinstance(status, Exception):
            raise status
        return status


class ByHand(Rig):
    """An installation whose machines are played by the test."""

    def __init__(self, database_url: str, world: World, folder: Path) -> None:
        super().__init__(database_url, world, folder)
        self.machines = Played()
        self.app = replace(self.app, configured_machines=self.machines)
        self.workers = Workers(
            self.app.queue, handlers("step-functions"), self.app, self.app.clock, 1, 20, self.settings.max_deliveries
        )

    def settled(self, *steps: dict[str, Any], **more: Any) -> str:
        """Make a plan whose machine has been started, and return its id."""
        lamp = f"lamp-{len(self.machines.started)}"  # no plan is to keep another one from what it changes
        plan = self.plan(*(steps or (act("switch", lamp), check(lamp))), **more)
        self.workers.run_until_idle()
        return plan.plan_id

    def asks(
        self, plan_id: str, asked: Asked, token: str = "t", generation: int = 1, step: StepOf | None = None
    ) -> list[dict[str, Any]]:
        """Let a machine of a plan ask something, and return what it is told at once."""
        change = Change(tenant="acme", plan_id=plan_id, generation=generation, trace="0" * 32)
        sealed = self.app.sealer.seal(token, PURPOSE)
        message = MachineAsked(plan_id=plan_id, change=change, asked=asked, step=step, token=sealed)
        answer_machine(message, a_call("state-machine"), self.app)
        return [told for named, told in self.machines.told if named == token]

    def attempt(self, plan_id: str, execution_id: str, step_id: str, token: str = "t") -> AttemptAsked:
        """Return what a machine says that has a step attempted."""
        return AttemptAsked(
            execution_id=execution_id,
            change=Change(tenant="acme", plan_id=plan_id, generation=1, trace="0" * 32),
            step=StepOf(execution_id=execution_id, step_id=step_id, phase="run"),
            token=self.app.sealer.seal(token, PURPOSE),
        )

    def look_after(self) -> None:
        """Let the clock look after every machine."""
        with self.app.begin(a_call()) as work:
            work.connection.exec_driver_sql("UPDATE machines SET look_at = clock_timestamp() WHERE NOT ended")
        look_after_machines(a_call("scheduler"), self.app)
