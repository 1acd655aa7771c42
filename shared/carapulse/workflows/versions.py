"""What can be asked of a tenant's own versions of workflows."""

from carapulse.kernel.call import Call
from carapulse.kernel.cursor import Page
from carapulse.kernel.precondition import WHICHEVER, Match
from carapulse.workflows.errors import WorkflowBuiltin, WorkflowInUse
from carapulse.workflows.events import WorkflowVersionAdded, WorkflowVersionRetired, stream_of
from carapulse.workflows.model import OwnVersion, RecipeTerms, Workflow
from carapulse.workflows.ports import VersionFilter, WorkflowPorts, WorkflowWork
from carapulse.workflows.ready import Ready
from carapulse.workflows.trying import Trial


def add_version(name: str, terms: RecipeTerms, call: Call, ports: WorkflowPorts) -> Workflow:
    """Keep a further version of a workflow, or the first of a new one. From now on it is the one that is started.

    Every example must make a plan with the actions there are; else the recipe is refused with the place of each fault.
    """
    Trial(call, ports.catalogue, ports.clock.now()).check(OwnVersion.of(terms, name, 1, call))
    with ports.begin(call) as work:
        work.own_versions.line_up(name)
        own = OwnVersion.of(terms, name, ports.workflows.next_version(name, work.own_versions), call)
        work.own_versions.add(own)
        work.record(stream_of(name), WorkflowVersionAdded.of(own))
    return Ready.of(own).shown()


def list_versions(name: str, wanted: VersionFilter, call: Call, ports: WorkflowPorts) -> Page[Workflow]:
    """Return a workflow's versions, the newest first, retired ones too; the program's own ends the list."""
    with ports.begin(call) as work:
        page = work.own_versions.page(name, wanted)
        shown = [Ready.of(each).shown() for each in page.data]
        builtin = ports.workflows.builtin.find(name)
        if builtin is None and not shown and wanted.cursor is None:
            ports.workflows.find(name, None, work.own_versions)
    if page.next_cursor is not None or builtin is None:
        return Page(data=tuple(shown), next_cursor=page.next_cursor)
    if len(shown) == wanted.limit:
        return Page(data=tuple(shown), next_cursor=str(shown[-1].version))
    return Page(data=(*shown, builtin.shown()))


def get_version(name: str, version: int, call: Call, ports: WorkflowPorts) -> Workflow:
    """Return one version of a workflow, also a retired one."""
    with ports.begin(call) as work:
        return ports.workflows.find(name, version, work.own_versions).shown()


def retire_version(name: str, version: int, call: Call, ports: WorkflowPorts, seen: Match = WHICHEVER) -> None:
    """Let a version be started no more: the one before it is the newest again, or the one of the program."""
    with ports.begin(call) as work:
        work.own_versions.line_up(name)
        ready = ports.workflows.find(name, version, work.own_versions)
        seen.check(ready.shown())
        if ready.own is None:
            raise WorkflowBuiltin("this version comes with the program", name=name, version=version)
        retired = ready.own.retired(call)
        work.own_versions.retire(retired)
        _must_not_be_missed(name, version, ports, work)
        work.record(stream_of(name), WorkflowVersionRetired.of(retired))


def _must_not_be_missed(name: str, version: int, ports: WorkflowPorts, work: WorkflowWork) -> None:
    """Raise WorkflowInUse if a schedule starts just this version, or has no other to start now."""
    is_last = work.own_versions.newest(name) is None and ports.workflows.builtin.find(name) is None
    uses = work.workflow_uses.of_workflow(name)
    missed = [each.schedule_id for each in uses if each.version == version or (is_last and each.version is None)]
    if missed:
        raise WorkflowInUse("schedules start this version", name=name, version=version, schedules=missed)
