"""What a channel is told of an event, in the form that its kind has."""

import json
from datetime import datetime
from typing import Any, Final

from carapulse.kernel.call import Call
from carapulse.kernel.errors import CorruptRow
from carapulse.kernel.ids import new_id
from carapulse.live.model import Frame, cloud_event
from carapulse.notifications.events import ChannelTested
from carapulse.notifications.model import Channel, PlanFacts, Told
from carapulse.notifications.ports import NotificationPorts, NotificationWork
from carapulse.plans.errors import PlanNotFound, VersionNotFound

TRIAL: Final = ChannelTested.__name__


def body_of(channel: Channel, told: Told, cloud_event: str, ports: NotificationPorts) -> str:
    """Return the body of a message: a CloudEvent as live streams have it, or what the other system shows people."""
    if channel.kind == "webhook":
        return cloud_event
    return json.dumps(ports.slack_words.message(told), ensure_ascii=False, separators=(",", ":"))


def told_of(frame: Frame, channel: Channel, work: NotificationWork, ports: NotificationPorts) -> Told | None:
    """Return an event with what people want to know of the plan that it is about; None if the channel wants it not."""
    said = json.loads(frame.json)
    try:
        plan = _plan(frame, said["data"], work) if channel.rules.is_narrow or channel.kind == "slack" else None
    except CorruptRow:
        plan = None  # is in the log and the metrics by then; told of one too many, people lose less than of one too few
    else:
        if not channel.rules.takes(plan):
            return None
    return Told(
        kind=frame.kind,
        at=datetime.fromisoformat(said["time"]),
        actor=said["actor"],
        subject=frame.subject,
        data=said["data"],
        plan=plan,
        link=None if plan is None or ports.settings.public_url is None else _link(ports.settings.public_url, plan),
    )


def tried(channel: Channel, call: Call) -> tuple[Told, str]:
    """Return a test message, in both forms. It is before the first event of the log, because it is not in the log."""
    data = {"channel_id": channel.id, "name": channel.name}
    row = {"id": new_id("event"), "type": TRIAL, "stream": channel.id, "position": 0, "at": call.at}
    envelope = cloud_event({**row, "actor": call.actor.id, "trace": call.trace}, call.tenant)
    body = json.dumps({**json.loads(envelope.model_dump_json(exclude_none=True)), "data": data}, separators=(",", ":"))
    return Told(kind=TRIAL, at=call.at, actor=call.actor.id, subject=channel.id, data=data), body


def _link(public_url: str, plan: PlanFacts) -> str:
    return f"{public_url.rstrip('/')}/v1/plans/{plan.id}"


def _plan(frame: Frame, data: dict[str, Any], work: NotificationWork) -> PlanFacts | None:
    """Return what is known of the version of a plan that an event is about, which may not be the current one."""
    if not frame.subject.startswith("plan_"):
        return None
    names = PlanFacts.model_fields.keys() - {"id"}
    if names <= data.keys():  # also what was refused, and never kept
        return PlanFacts(id=frame.subject, **{name: data[name] for name in names})
    number = data.get("version", data.get("plan_version"))
    try:
        version = work.plans.current(frame.subject)[1] if number is None else work.plans.version(frame.subject, number)
    except (PlanNotFound, VersionNotFound):
        return None
    return PlanFacts(
        id=version.plan_id,
        summary=version.summary,
        environment=version.context.environment,
        service=version.context.service,
        risk=version.risk,
        requested_by=version.requested_by,
    )
