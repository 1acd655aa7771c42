"""The fields of an action's input that say where it happens: none may lead out of the plan's context."""

from collections.abc import Iterator

from carapulse.kernel.context import Context
from carapulse.kernel.errors import Fault
from carapulse.tools.model import JsonObject

SCOPE = {
    "environment": "environment",
    "cluster": "cluster_id",
    "cluster_id": "cluster_id",
    "namespace": "namespace",
    "namespaces": "namespace",
    "region": "region",
    "account_id": "aws_account_id",
    "aws_account_id": "aws_account_id",
    "argocd_project": "argocd_project",
    "grafana_org_id": "grafana_org_id",
}


def scope_faults(value: JsonObject, pointer: str, context: Context) -> Iterator[Fault]:
    """Yield the fields that name another place than the plan's."""
    for name, part in SCOPE.items():
        place, found = getattr(context, part), value.get(name)
        named = found if isinstance(found, list) else [found]
        if place is not None and any(isinstance(each, str) and each != place for each in named):
            detail = f"this is outside the plan's context, whose {part} is {place}"
            yield Fault(pointer=f"{pointer}/{name}", code="outside-context", detail=detail)
