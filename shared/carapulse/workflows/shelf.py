"""All the workflows that a tenant has: its own, and those that come with the program where it has none of the name."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from carapulse.kernel.call import Call
from carapulse.kernel.context import Context
from carapulse.plans.ports import Expanded
from carapulse.plans.requests import WorkflowRequest
from carapulse.workflows.book import Workflows
from carapulse.workflows.errors import WorkflowNotFound, WorkflowVersionIsRetired, WorkflowVersionNotFound
from carapulse.workflows.ports import OwnVersions, WorkflowWork
from carapulse.workflows.ready import Ready


@dataclass(frozen=True, slots=True)
class Shelf:
    """Finds the version that is meant; without a number it is the tenant's newest, else the one of the program."""

    builtin: Workflows
    begin: Callable[[Call], Any]

    def expand(self, wanted: WorkflowRequest, context: Context, call: Call) -> Expanded:
        """Return the steps, or raise WorkflowNotFound, WorkflowVersionIsRetired or WorkflowInputInvalid."""
        return self._startable(wanted, call).expand(wanted.input, context)

    def summary(self, wanted: WorkflowRequest, context: Context, call: Call) -> str:
        """Return in one line what the workflow would do; the input must have been accepted."""
        return self._startable(wanted, call).summary(wanted.input, context)

    def find(self, name: str, version: int | None, kept: OwnVersions) -> Ready:
        """Return the version that is meant, also a retired one, or raise that there is none."""
        own = kept.newest(name) if version is None else kept.find(name, version)
        if own is not None:
            return Ready.of(own)
        builtin = self.builtin.find(name)
        if builtin is not None and version in {None, builtin.recipe.version}:
            return builtin
        if builtin is None and kept.highest(name) == 0:
            raise WorkflowNotFound("there is no such workflow", name=name)
        if version is None:
            raise WorkflowNotFound("every version of the workflow is retired", name=name)
        raise WorkflowVersionNotFound("the workflow has no such version", name=name, version=version)

    def next_version(self, name: str, kept: OwnVersions) -> int:
        """Return the number that the next version of this name has."""
        builtin = self.builtin.find(name)
        return max(kept.highest(name), 0 if builtin is None else builtin.recipe.version) + 1

    def _startable(self, wanted: WorkflowRequest, call: Call) -> Ready:
        work: WorkflowWork
        with self.begin(call) as work:
            ready = self.find(wanted.name, wanted.version, work.own_versions)
        if ready.own is not None and ready.own.retired_at is not None:
            raise WorkflowVersionIsRetired("the version was retired", name=wanted.name, version=wanted.version)
        return ready
