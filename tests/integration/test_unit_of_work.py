"""State, events and messages are one write, and no tenant reaches another's."""

from datetime import UTC, datetime
from typing import ClassVar

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from tests.builders.queues import a_queue

from carapulse.adapters.postgres.engine import connect
from carapulse.adapters.postgres.work import PostgresWork
from carapulse.kernel.call import Actor, Call
from carapulse.kernel.clock import SystemClock
from carapulse.kernel.event import Event
from carapulse.kernel.message import Message


class LampSwitched(Event):
    on: bool


class SwitchLamp(Message):
    queue: ClassVar[str] = "lamps"
    on: bool


def a_call(tenant: str = "acme") -> Call:
    return Call(actor=Actor(id="ada"), tenant=tenant, at=datetime.now(UTC), trace="0" * 32)


@pytest.fixture
def engine(database):
    engine = connect(database.app_url)
    yield engine
    engine.dispose()


def begin(engine, tenant="acme"):
    return PostgresWork(engine, a_call(tenant), SystemClock())


def count(engine, table, tenant="acme"):
    with begin(engine, tenant) as work:
        return work.connection.execute(text(f"SELECT count(*) FROM {table}")).scalar_one()


def test_events_of_one_stream_are_chained(engine):
    with begin(engine) as work:
        work.record("lamp_1", LampSwitched(on=True))
        work.record("lamp_1", LampSwitched(on=False))

    with begin(engine) as work:
        work.record("lamp_1", LampSwitched(on=True))

    with begin(engine) as work:
        rows = work.connection.execute(text("SELECT seq, prev, hash FROM events ORDER BY seq")).all()
    assert [row.seq for row in rows] == [1, 2, 3]
    assert [row.prev for row in rows] == ["", rows[0].hash, rows[1].hash]


def test_an_exception_leaves_neither_event_nor_message(engine):
    def record_and_fail():
        with begin(engine) as work:
            work.record("lamp_1", LampSwitched(on=True))
            work.send(SwitchLamp(on=True))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        record_and_fail()

    assert (count(engine, "events"), count(engine, "messages")) == (0, 0)


def test_a_message_is_taken_once_and_only_its_receipt_answers(engine):
    queue = a_queue(engine)
    with begin(engine) as work:
        work.send(SwitchLamp(on=True))

    (delivery,) = queue.take(["lamps"], 10, visibility_s=0.05)
    assert queue.take(["lamps"], 10, visibility_s=30) == []
    with begin(engine) as work:
        work.connection.execute(text("SELECT pg_sleep(0.06)"))
    (second,) = queue.take(["lamps"], 10, visibility_s=30)

    assert (second.id, second.attempts) == (delivery.id, 2)
    assert queue.ack(delivery) is False
    assert queue.ack(second) is True


def test_a_tenant_sees_nothing_of_another(engine):
    with begin(engine, "acme") as work:
        work.record("lamp_1", LampSwitched(on=True))
        work.send(SwitchLamp(on=True))

    assert (count(engine, "events", "rival"), count(engine, "messages", "rival")) == (0, 0)


@pytest.mark.parametrize("statement", ["UPDATE events SET type = 'x'", "DELETE FROM events", "TRUNCATE events"])
def test_the_app_role_cannot_change_the_log(engine, statement):
    with begin(engine) as work:
        work.record("lamp_1", LampSwitched(on=True))

    with pytest.raises(DBAPIError, match="permission denied"), begin(engine) as work:
        work.connection.execute(text(statement))


def test_the_app_role_is_walled_in(engine):
    with begin(engine) as work:
        role = work.connection.execute(
            text("SELECT rolsuper, rolbypassrls, rolcreaterole FROM pg_roles WHERE rolname = current_user")
        ).one()
        unwalled = work.connection.execute(
            text(
                "SELECT c.relname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'tenant'"
                " JOIN pg_namespace n ON n.oid = c.relnamespace AND n.nspname = 'public'"
                " WHERE c.relkind IN ('r', 'p') AND NOT (c.relrowsecurity AND c.relforcerowsecurity)"
            )
        ).all()

    assert tuple(role) == (False, False, False)
    assert unwalled == []
