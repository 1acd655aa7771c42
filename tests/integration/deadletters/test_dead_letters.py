"""What is given up is kept with its reason, can be looked at and put back, and the log knows of all of it."""

import pytest
from tests.builders.queues import a_queue
from tests.builders.switching import Lamps, Ports, send, workers
from tests.world.rig import a_call

from carapulse.adapters.postgres.engine import connect
from carapulse.audit.model import EventFilter
from carapulse.deadletters.errors import DeadLetterNotFound, MessageNotDead
from carapulse.deadletters.model import DeadLetterFilter
from carapulse.deadletters.usecases import (
    SettleDeadLetter,
    discard_dead_letter,
    get_dead_letter,
    list_dead_letters,
    replay_dead_letter,
)
from carapulse.kernel.cursor import CursorInvalid

BECAUSE = SettleDeadLetter(note="the lamp is mended")


@pytest.fixture
def engine(database):
    engine = connect(database.app_url)
    yield engine
    engine.dispose()


def let_die(engine, lamps, **about):
    """Send a message that can't be worked off, and return what it is as a dead letter."""
    send(engine, **about)
    lamps.fails = ZeroDivisionError("password=hunter2 is wrong")
    workers(a_queue(engine), lamps).run_until_idle()
    lamps.fails = None
    return listed(engine, tenant=about.get("tenant", "acme"))[0]


def listed(engine, tenant="acme", **wanted):
    return list_dead_letters(DeadLetterFilter(**wanted), a_call(tenant=tenant), Ports(engine)).data


def happened(engine, message_id):
    with Ports(engine).begin(a_call()) as work:
        return list(reversed(work.evidence.page(EventFilter(stream=message_id)).data))


def test_a_message_that_dies_is_kept_and_the_log_says_why(engine):
    letter = let_die(engine, Lamps())

    (event,) = happened(engine, letter.id)
    assert (letter.queue, letter.type, letter.attempts, letter.body) == ("lamps", "SwitchLamp", 1, {"on": True})
    assert letter.reason == "ZeroDivisionError: password=[redacted] is wrong"
    assert (event.type, event.actor, event.trace) == ("MessageBuried", "queue", letter.trace)
    assert event.body == {
        "message_id": letter.id,
        "queue": "lamps",
        "message_type": "SwitchLamp",
        "reason": letter.reason,
        "attempts": 1,
    }


def test_a_worker_that_comes_too_late_buries_nothing(engine):
    queue = a_queue(engine)
    send(engine)
    (late,) = queue.take(["lamps"], 1, visibility_s=0)
    (second,) = queue.take(["lamps"], 1, visibility_s=30)

    assert queue.bury(late, "too late", a_call().at) is False
    assert (happened(engine, late.id), listed(engine)) == ([], ())
    assert queue.ack(second) is True


def test_a_replayed_message_is_worked_off_once_as_if_it_had_never_been_tried(engine):
    lamps = Lamps()
    letter = let_die(engine, lamps)

    replayed = replay_dead_letter(letter.id, BECAUSE, a_call("grace"), Ports(engine))
    workers(a_queue(engine), lamps).run_until_idle()

    event = happened(engine, letter.id)[-1]
    assert (replayed.outcome, lamps.switched, listed(engine)) == ("replayed", [True], ())
    assert (event.type, event.actor, event.body["note"]) == ("MessageReplayed", "grace", "the lamp is mended")


def test_a_replayed_message_that_dies_again_is_a_dead_letter_again(engine):
    lamps = Lamps(fails=ZeroDivisionError())
    letter = let_die(engine, lamps)
    replay_dead_letter(letter.id, BECAUSE, a_call(), Ports(engine))

    lamps.fails = ZeroDivisionError("still")
    workers(a_queue(engine), lamps).run_until_idle()

    (again,) = listed(engine)
    assert (again.id, again.reason, again.attempts) == (letter.id, "ZeroDivisionError: still", 1)
    assert [each.type for each in happened(engine, letter.id)] == ["MessageBuried", "MessageReplayed", "MessageBuried"]


def test_a_discarded_message_is_gone_and_the_log_says_why(engine):
    lamps = Lamps()
    letter = let_die(engine, lamps)

    discard_dead_letter(letter.id, BECAUSE, a_call("grace"), Ports(engine))
    workers(a_queue(engine), lamps).run_until_idle()

    event = happened(engine, letter.id)[-1]
    assert (lamps.switched, listed(engine)) == ([], ())
    assert (event.type, event.actor, event.body["note"]) == ("MessageDiscarded", "grace", "the lamp is mended")


@pytest.mark.parametrize("settle", [replay_dead_letter, discard_dead_letter])
def test_a_message_on_its_way_can_not_be_settled(engine, settle):
    letter = let_die(engine, Lamps())
    replay_dead_letter(letter.id, BECAUSE, a_call(), Ports(engine))

    with pytest.raises(MessageNotDead):
        settle(letter.id, BECAUSE, a_call(), Ports(engine))
    with pytest.raises(DeadLetterNotFound):
        get_dead_letter(letter.id, a_call(), Ports(engine))
    assert [each.type for each in happened(engine, letter.id)] == ["MessageBuried", "MessageReplayed"]


@pytest.mark.parametrize("settle", [replay_dead_letter, discard_dead_letter])
def test_what_nobody_can_read_can_be_looked_at_and_settled(engine, database, settle):
    send(engine)
    with database.as_superuser() as connection:
        connection.run(f"UPDATE messages SET body = '{'9' * 5000}', actor = '[]', type = 'Unheard'")
    workers(a_queue(engine), Lamps()).run_until_idle()

    (letter,) = listed(engine, type="Unheard")
    settle(letter.id, BECAUSE, a_call(), Ports(engine))

    assert (letter.body, listed(engine)) == ("9" * 5000, ())


def test_lists_show_the_last_to_die_first_go_on_where_they_ended_and_can_be_narrowed(engine):
    lamps = Lamps()
    died = [let_die(engine, lamps).id for _ in range(5)]
    let_die(engine, lamps, tenant="rival")
    seen: list[str] = []
    cursor = None

    while True:
        page = list_dead_letters(DeadLetterFilter(limit=2, cursor=cursor), a_call(), Ports(engine))
        seen += [letter.id for letter in page.data]
        cursor = page.next_cursor
        if cursor is None:
            break

    assert seen == list(reversed(died))
    assert len(listed(engine, queue="lamps", type="SwitchLamp")) == 5
    assert listed(engine, queue="timers") == listed(engine, type="AdvanceExecution") == ()


@pytest.mark.parametrize(
    "key", ["message_1", "now message_1", "2026-01-01T00:00:00 message_1", "2026-01-01T00:00:00Z "]
)
def test_a_cursor_of_another_list_is_refused(engine, key):
    with pytest.raises(CursorInvalid):
        listed(engine, cursor=key)
