"""A rig whose changes a state machine carries: it asks by queues, and workers answer."""

from pathlib import Path
from typing import Any

from tests.world.machines import MachineWorld
from tests.world.server import World
from tests.world.working import Working


class Conducted(Working):
    """An installation whose changes a state machine carries."""

    def __init__(self, database_url: str, world: World, folder: Path, machine: MachineWorld, **settings: Any) -> None:
        self.machine = machine
        super().__init__(database_url, world, folder, **{**machine.settings(), "visibility_s": 20, **settings})

    def stands(self, where: str) -> None:
        """Wait until the one machine stands still somewhere."""
        self.until(lambda: (where,) in self.rows("SELECT asked FROM machine_waits"))

    def told(self) -> dict[str, list[str]]:
        """Return which states each machine has entered."""
        return {arn.rpartition(":")[2]: self.machine.entered(arn) for arn in self.machine.executions()}
