"""What of an execution is under way, and whether a further step has room beside it. Pure."""

from carapulse.executions.model import ExecutionState, StepState, StepStatus


class Active:
    """What runs, or is about to: how many steps and fan-outs, how many of each fan-out, and which targets."""

    def __init__(self, state: ExecutionState) -> None:
        self.state = state
        self.units: set[str] = set()
        self.members: dict[str, int] = {}
        self.targets: set[str] = set()
        for step in state.steps:
            if step.run.status is StepStatus.RUNNING:
                self.add(step)

    @property
    def is_full(self) -> bool:
        """Whether nothing can have room: as much runs as may, and none of it is a fan-out."""
        return len(self.units) >= self.state.max_concurrency and self.units.isdisjoint(self.state.groups)

    def add(self, step: StepState) -> None:
        """Count a step in."""
        unit = step.facts.group or step.facts.id
        self.units.add(unit)
        self.members[unit] = self.members.get(unit, 0) + 1
        self.targets.update(step.facts.targets)

    def has_room_for(self, step: StepState) -> bool:
        """Return whether a step may run beside the others."""
        group = step.facts.group
        unit = group or step.facts.id
        if unit not in self.units and len(self.units) >= self.state.max_concurrency:
            return False
        if group is not None and self.members.get(unit, 0) >= self.state.groups[group].max_concurrency:
            return False
        return self.targets.isdisjoint(step.facts.targets)
