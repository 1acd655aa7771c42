"""Context: where a change happens. The tenant is never part of it: that comes from the call."""

from typing import Annotated

from pydantic import Field, StringConstraints

from carapulse.kernel.record import Record

Name = Annotated[str, StringConstraints(min_length=1, max_length=253, pattern=r"^[A-Za-z0-9][A-Za-z0-9._/:-]*$")]


class Context(Record):
    """The environment and, as far as they matter, the systems in it."""

    environment: Annotated[str, Field(min_length=1, max_length=63, pattern=r"^[a-z0-9][a-z0-9-]*$")]
    cluster_id: Name | None = None
    namespace: Name | None = None
    service: Name | None = None
    region: Name | None = None
    aws_account_id: Name | None = None
    argocd_project: Name | None = None
    grafana_org_id: Name | None = None
