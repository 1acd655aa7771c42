"""What Alertmanager sends: the webhook payload of version 4 (https://prometheus.io/docs/alerting/latest/configuration/)."""

from typing import Annotated, Any, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from carapulse.intake.errors import NotAnAlertNotification
from carapulse.kernel.errors import Fault
from carapulse.kernel.pointers import pointer_of

LabelName = Annotated[str, StringConstraints(min_length=1, max_length=256)]
LabelValue = Annotated[str, StringConstraints(max_length=65_536)]
Labels = dict[LabelName, LabelValue]
State = Literal["firing", "resolved"]


class Foreign(BaseModel):
    """A value of somebody else's format. Unlike in our own, unknown fields are let pass.

    Alertmanager adds fields in minor releases; refusing them would silence every alert on the day of its upgrade.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")


class Instance(Foreign):
    """One label set that fires or has stopped. Its fingerprint stays the same for as long as its labels do."""

    status: State
    labels: Labels
    annotations: Labels = Field(default_factory=dict)
    starts_at: AwareDatetime = Field(alias="startsAt")
    ends_at: AwareDatetime = Field(alias="endsAt", description="year 1 while it fires")
    generator_url: str = Field("", alias="generatorURL", max_length=65_536)
    fingerprint: Annotated[str, StringConstraints(min_length=1, max_length=64)]


class Notification(Foreign):
    """One delivery: the alerts of one group as they are now."""

    version: Literal["4"]
    group_key: str = Field(alias="groupKey", max_length=65_536)
    truncated_alerts: int = Field(0, alias="truncatedAlerts", ge=0)
    status: State
    receiver: str = Field(max_length=1024)
    group_labels: Labels = Field(alias="groupLabels")
    common_labels: Labels = Field(alias="commonLabels")
    common_annotations: Labels = Field(alias="commonAnnotations")
    external_url: str = Field(alias="externalURL", max_length=65_536)
    alerts: Annotated[tuple[Instance, ...], Field(min_length=1)]


def read_notification(payload: Any) -> Notification:  # noqa: ANN401 - any JSON value
    """Return the notification, or raise NotAnAlertNotification with the pointer of each fault."""
    try:
        return Notification.model_validate(payload)
    except ValidationError as error:
        raise NotAnAlertNotification(
            "the body is not an Alertmanager notification of version 4", faults=faults_of(error)
        ) from error


def faults_of(error: ValidationError) -> tuple[Fault, ...]:
    """Return what pydantic found, with RFC 6901 pointers, and never what was sent."""
    return tuple(
        Fault(
            pointer=pointer_of(part for part in each["loc"] if part != "[key]"),
            code=each["type"].replace("_", "-"),
            detail=each["msg"],
        )
        for each in error.errors(include_url=False, include_input=False, include_context=False)
    )
