"""Builders: what people and workers ask of a database that `generated.fill` has filled, one by one."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import count
from typing import Any, ClassVar

from tests.builders.growing import App
from tests.builders.log import a_call, write
from tests.builders.queues import a_queue

from carapulse.audit.model import EventFilter
from carapulse.audit.usecases import export_bundle, list_events, make_checkpoint
from carapulse.kernel.message import Message
from carapulse.retention.usecases import make_room

TENANT = "tenant_7"
YEAR = timedelta(days=365)
_numbers = count(1)
Question = Callable[[App], Any]


class SwitchLamp(Message):
    queue: ClassVar[str] = "lamps"


def page(app: App, **wanted: Any) -> Any:
    return list_events(EventFilter(**wanted), a_call(TENANT), app)


def take(app: App) -> None:
    (delivery,) = a_queue(app.engine).take(["lamps"], 1, 30)
    assert a_queue(app.engine).ack(delivery)


def due(app: App) -> None:
    assert a_queue(app.engine).seconds_until_due(["lamps", "others"]) is not None


def with_a_message(app: App) -> Question:
    with app.begin(a_call(TENANT)) as work:
        work.send(SwitchLamp())
    return take


def with_a_plan(app: App) -> Question:
    plan = f"plan_new_{next(_numbers)}"
    write(app, plan, count=20, tenant=TENANT)
    make_checkpoint(a_call(), app)
    return partial(export, plan)


def export(plan: str, app: App) -> None:
    assert export_bundle(plan, a_call(TENANT), app)


def with_new_events(app: App) -> Question:
    write(app, f"plan_new_{next(_numbers)}", count=20, tenant=TENANT)
    return covered


def covered(app: App) -> None:
    assert make_checkpoint(a_call(), app) is not None


def append(app: App) -> None:
    write(app, f"plan_new_{next(_numbers)}", tenant=TENANT)


def deep(app: App) -> Question:
    cursor = page(app, until=datetime.now(UTC) - YEAR).next_cursor
    assert cursor is not None
    return lambda app: page(app, cursor=cursor)


def always(question: Question) -> Callable[[App], Question]:
    return lambda _app: question


def a_page(**wanted: Any) -> Callable[[App], Question]:
    return always(lambda app: page(app, **wanted))


def questions() -> dict[str, Callable[[App], Question]]:
    """Return, by name, what prepares each question and returns it."""
    now = datetime.now(UTC)
    return {
        "append an event": always(append),
        "timeline of one plan": a_page(plan_id="plan_67", limit=200),
        "first page of the log": a_page(),
        "… of one type": a_page(type="StepFinished"),
        "… of a rare type": a_page(type="PlanClosed"),
        "… of a type that never was": a_page(type="NeverSeen"),
        "… by one actor": a_page(actor_id="actor_7"),
        "… by a rare actor": a_page(actor_id="auditor"),
        "… of one type by one actor": a_page(type="StepFinished", actor_id="actor_7"),
        "… since last week": a_page(since=now - timedelta(days=7)),
        "… until a year ago": a_page(until=now - YEAR),
        "… of a type until a year ago": a_page(type="StepFinished", until=now - YEAR),
        "a page in the middle, by cursor": deep,
        "evidence of one plan": with_a_plan,
        "make a checkpoint": with_new_events,
        "make room": always(lambda app: make_room(a_call(), app)),
        "take a message": with_a_message,
        "when the next message is due": always(due),
    }
