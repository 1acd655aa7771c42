"""The versions of a plan, each as it was judged."""

from carapulse.kernel.call import Call
from carapulse.kernel.cursor import Page
from carapulse.plans.ports import PlanPorts, VersionFilter
from carapulse.plans.views import VersionSummary, VersionView


def list_versions(plan_id: str, wanted: VersionFilter, call: Call, ports: PlanPorts) -> Page[VersionSummary]:
    """Return the versions of a plan, the newest first."""
    with ports.begin(call) as work:
        return work.plans.versions(work.plans.get(plan_id), wanted)


def get_version(plan_id: str, number: int, call: Call, ports: PlanPorts) -> VersionView:
    """Return one version of a plan, exactly as it is digested."""
    with ports.begin(call) as work:
        plan = work.plans.get(plan_id)
        version = work.plans.version(plan.id, number)
    return VersionView(
        plan_id=plan.id,
        version=number,
        digest=version.digest,
        current=number == plan.version,
        content=version,
    )
