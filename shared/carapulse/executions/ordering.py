"""In which order the steps of an execution come, and are undone the other way round. Pure."""

from carapulse.executions.model import StepState


def in_order(steps: tuple[StepState, ...]) -> list[StepState]:
    """Return the steps so that stages never mix and each comes after what it depends on; else by position."""
    placed: list[StepState] = []
    waiting = sorted(steps, key=lambda step: (step.facts.stage.rank, step.facts.position))
    names: set[str] = set()
    while waiting:
        free = next((step for step in waiting if names.issuperset(step.facts.depends_on)), waiting[0])
        placed.append(free)
        names.add(free.facts.id)
        waiting.remove(free)
    return placed
