"""Alerts: one service that one registered source reports as ailing, however often and by however many label sets."""

from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Any, Literal, Self

from pydantic import AwareDatetime, Field

from carapulse.intake.alertmanager import Instance, Labels, Notification
from carapulse.intake.model import Route, Source
from carapulse.kernel.canonical import digest
from carapulse.kernel.ids import new_id
from carapulse.kernel.record import Record
from carapulse.plans.reasons import Reason

AlertStatus = Literal["open", "planned", "unmatched", "failed", "resolved"]

_LONGEST_LINE = 200
_PATIENCE = timedelta(minutes=10)


class Affected(Record):
    """What one delivery says about one service under one key: the part of a group that one plan is for."""

    key: str
    alertname: str
    service: str | None
    instances: tuple[Instance, ...]

    @property
    def firing(self) -> tuple[Instance, ...]:
        """The label sets that fire."""
        return tuple(instance for instance in self.instances if instance.status == "firing")


class Alert(Record):
    """One ailing service as we know it. While it is open, no second alert of its key is."""

    id: str
    source_id: str
    source: str
    key: str
    status: AlertStatus
    alertname: str
    service: str | None
    severity: str | None
    summary: str
    labels: Labels = Field(description="of the label set that decided what is done")
    firing: frozenset[str] = Field(description="fingerprints of the label sets that fire")
    trusted: bool
    delivery_id: str = Field(description="the delivery that opened it, or that led to its plan")
    route: str | None = None
    revision: int = Field(description="of the registration that decided what is done")
    decided_at: AwareDatetime = Field(description="when it was last decided what is done")
    intended_plan_id: str = Field(description="minted with the decision to plan, so that no repetition plans twice")
    plan_id: str | None = None
    reasons: tuple[Reason, ...] = ()
    deliveries: int = 1
    opened_at: AwareDatetime
    last_seen_at: AwareDatetime
    closed_at: AwareDatetime | None = None

    @classmethod
    def opened(cls, affected: Affected, source: Source, delivery_id: str, at: AwareDatetime, *, trusted: bool) -> Self:
        """Return a new alert, routed if a route fits one of its firing label sets."""
        alert = cls(
            id=new_id("alert"),
            source_id=source.id,
            source=source.name,
            key=affected.key,
            status="unmatched",
            alertname=affected.alertname,
            service=affected.service,
            severity=None,
            summary="",
            labels={},
            firing=frozenset(),
            trusted=trusted,
            delivery_id=delivery_id,
            revision=source.revision,
            decided_at=at,
            intended_plan_id="",
            deliveries=0,
            opened_at=at,
            last_seen_at=at,
        )
        return alert.seen(affected, at).routed(affected, source, delivery_id, at)

    def seen(self, affected: Affected, at: AwareDatetime) -> Self:
        """Return this alert after another delivery about it; label sets that it doesn't mention stay as they were."""
        told = {instance.fingerprint for instance in affected.instances}
        firing = {instance.fingerprint for instance in affected.firing}
        return self.model_copy(
            update={
                "firing": (self.firing - told) | firing,
                "deliveries": self.deliveries + 1,
                "last_seen_at": max(at, self.last_seen_at),
            }
        )

    def routed(self, affected: Affected, source: Source, delivery_id: str, at: AwareDatetime) -> Self:
        """Return this alert as the registration decides it now; open if a route fits, else unmatched."""
        route, instance = first_fit(source, affected.firing)
        return self.model_copy(
            update={
                "status": "open" if route else "unmatched",
                "route": route.name if route else None,
                "revision": source.revision,
                "delivery_id": delivery_id,
                "labels": instance.labels,
                "severity": instance.labels.get("severity"),
                "summary": headline(self.alertname, self.service, instance),
                "decided_at": at,
                "intended_plan_id": new_id("plan"),
                "reasons": (),
            }
        )

    def may_be_routed_again(self, source: Source) -> bool:
        """Say whether another look can help: nothing fitted so far, or the registration changed since it failed."""
        return self.status == "unmatched" or (self.status == "failed" and self.revision != source.revision)

    def is_overdue(self, at: AwareDatetime) -> bool:
        """Say whether a plan should have been made by now, so that the work for it must have been given up."""
        return self.status == "open" and at - self.decided_at > _PATIENCE

    def planned(self, plan_id: str) -> Self:
        """Return this alert with the plan that it led to; one that is over stays over."""
        return self.model_copy(update={"status": "resolved" if self.closed_at else "planned", "plan_id": plan_id})

    def failed(self, reasons: tuple[Reason, ...]) -> Self:
        """Return this alert with the reasons why there is no plan; one that is over stays over."""
        return self.model_copy(update={"status": "resolved" if self.closed_at else "failed", "reasons": reasons})

    def resolved(self, at: AwareDatetime) -> Self:
        """Return this alert as over."""
        return self.model_copy(update={"status": "resolved", "firing": frozenset(), "closed_at": at})


def affected_services(source: Source, notification: Notification) -> tuple[Affected, ...]:
    """Split a notification by affected service and stable labels, in the order of the payload."""
    found: dict[str, list[Instance]] = {}
    for instance in notification.alerts:
        found.setdefault(key_of(source, instance.labels), []).append(instance)
    return tuple(_affected(source, key, tuple(instances)) for key, instances in found.items())


def key_of(source: Source, labels: Mapping[str, str]) -> str:
    """Return what makes two label sets the same alert.

    Only the source, the alert's name, the service and the source's key labels count: times, values, pods, replicas and
    fingerprints come and go while the trouble stays the same.
    """
    names = source.registration.key_labels
    return digest(
        {
            "source": source.id,
            "alertname": labels.get("alertname", ""),
            "service": source.service_of(labels),
            "labels": {name: labels[name] for name in names if labels.get(name)},
        }
    )


def first_fit(source: Source, instances: Iterable[Instance]) -> tuple[Route | None, Instance]:
    """Return the first route that fits one of the label sets, and that set; without a fit, the first set."""
    listed = list(instances)
    for route in source.registration.routes:
        for instance in listed:
            if route.fits(instance.labels):
                return route, instance
    return None, listed[0]


def scope_of(affected: Affected, instance: Instance, notification: Notification) -> dict[str, Any]:
    """Return what a route's template may refer to, spelled as Alertmanager spells it."""
    chosen = instance.model_dump(mode="json", by_alias=True)
    return {
        "labels": chosen["labels"],
        "annotations": chosen["annotations"],
        "alert": chosen,
        "alerts": [each.model_dump(mode="json", by_alias=True) for each in affected.instances],
        "group": notification.model_dump(mode="json", by_alias=True, exclude={"alerts"}),
        "service": affected.service,
    }


def headline(alertname: str, service: str | None, instance: Instance) -> str:
    """Return one line about an alert, safe to show: no control characters, at most 200 characters."""
    about = f"{alertname or 'An alert'} on {service}" if service else alertname or "An alert"
    summary = instance.annotations.get("summary", "")
    text = f"{about}: {summary}" if summary else about
    line = "".join(character if character.isprintable() else " " for character in text).strip()
    return line if len(line) <= _LONGEST_LINE else line[: _LONGEST_LINE - 1] + "…"


def _affected(source: Source, key: str, instances: tuple[Instance, ...]) -> Affected:
    labels = instances[0].labels
    return Affected(
        key=key, alertname=labels.get("alertname", ""), service=source.service_of(labels), instances=instances
    )
