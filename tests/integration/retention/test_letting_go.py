"""What is older than the operator keeps goes, a whole partition at a time; what is in use, and what is young, stays."""

from datetime import UTC, datetime, timedelta
from typing import ClassVar

import pytest
from sqlalchemy import text
from sqlalchemy.exc import ProgrammingError
from tests.builders.growing import an_execution, keeping, partitions, past_weeks
from tests.builders.log import a_call
from tests.builders.queues import a_queue

from carapulse.kernel.blobs import stored
from carapulse.kernel.message import Message
from carapulse.retention.usecases import let_old_go

LATELY = datetime.now(UTC) - timedelta(days=3)
LONG_AGO, LONGER_AGO = LATELY - timedelta(days=100), LATELY - timedelta(days=200)


class SwitchLamp(Message):
    queue: ClassVar[str] = "lamps"


@pytest.fixture
def grown(database):
    past_weeks(database, LONGER_AGO, LONG_AGO, LATELY)
    return database


def kept(database, table):
    with database.as_superuser() as connection:
        return [name for (name,) in connection.run(f"SELECT execution_id FROM {table} ORDER BY 1")]


def test_nothing_goes_unless_it_is_asked_for(app, grown):
    an_execution(grown, LONG_AGO)
    before = partitions(grown, "step_lines")

    let_old_go(a_call(), app)

    assert partitions(grown, "step_lines") == before


def test_lines_and_outputs_go_each_after_its_own_time(app, grown):
    oldest, old, young = (an_execution(grown, at) for at in (LONGER_AGO, LONG_AGO, LATELY))
    app.settings = keeping(lines=30, outputs=150)

    let_old_go(a_call(), app)

    assert kept(grown, "step_lines") == [young]
    assert kept(grown, "step_outputs") == [old, young]
    assert oldest < old < young


def test_what_an_execution_that_is_not_over_left_stays_with_all_of_its_week(app, grown):
    waiting = an_execution(grown, LONGER_AGO, is_over=False)
    over = an_execution(grown, LONGER_AGO + timedelta(seconds=1))
    an_execution(grown, LONG_AGO)
    app.settings = keeping(lines=30, outputs=30)

    let_old_go(a_call(), app)

    assert kept(grown, "step_lines") == kept(grown, "step_outputs") == [waiting, over]


def test_what_was_over_only_lately_stays(app, grown):
    slow = an_execution(grown, LONGER_AGO)
    with grown.as_superuser() as connection:
        connection.run("UPDATE executions SET finished_at = :at", at=LATELY)
    app.settings = keeping(lines=30)

    let_old_go(a_call(), app)

    assert kept(grown, "step_lines") == [slow]


@pytest.mark.parametrize(
    "function",
    ["drop_old_steps('step_lines', {})", "drop_dead_letters({})", "archivable_events({})", "drop_events(0, {})"],
)
@pytest.mark.parametrize("before", ["now()", "now() - interval '23 hours'", "NULL", "'infinity'"])
def test_nothing_younger_than_a_day_goes_whoever_asks(app, function, before):
    with pytest.raises(ProgrammingError, match="younger than a day"), app.begin(a_call()) as work:
        work.connection.execute(text(f"SELECT {function.format(before)}"))


@pytest.mark.parametrize("table", ["events", "executions", "plans"])
def test_only_what_steps_said_can_be_dropped_as_steps(app, database, table):
    with app.begin(a_call()) as work:
        dropped = work.room.drop_old_steps(table, LONG_AGO)

    assert dropped == []
    assert len(partitions(database, "events")) == 4


def test_a_blob_goes_with_the_last_output_that_names_it(app, grown):
    lone, shared = (stored(content * 100, 10, app.blobs) for content in (b'"a"  ', b'"b"  '))
    an_execution(grown, LONGER_AGO, output=lone.decode())
    an_execution(grown, LONG_AGO, output=shared.decode())
    an_execution(grown, LATELY, output=shared.decode())
    app.clock.by = timedelta(days=2)  # the blobs were put before the day in which a blob may be in use
    app.settings = keeping(outputs=30)

    let_old_go(a_call(), app)

    assert [app.blobs.has(digest(each)) for each in (lone, shared)] == [False, True]


def test_a_blob_that_somebody_just_put_again_stays(app, grown):
    reference = stored(b'"a"' + b" " * 100, 10, app.blobs)
    an_execution(grown, LONG_AGO, output=reference.decode())
    app.settings = keeping(outputs=30)

    let_old_go(a_call(), app)

    assert kept(grown, "step_outputs") == []
    assert app.blobs.has(digest(reference))


def test_dead_letters_go_and_what_waits_stays(app, database):
    for _ in range(3):
        with app.begin(a_call()) as work:
            work.send(SwitchLamp())
    old, young = a_queue(app.engine).take(["lamps"], 2, 30)
    for letter in (old, young):
        a_queue(app.engine).bury(letter, "it never worked", LONG_AGO)
    with database.as_superuser() as connection:
        connection.run("UPDATE messages SET dead_at = :at WHERE id = :id", at=LONG_AGO, id=old.id)
    app.settings = keeping(dead_letters=30)

    let_old_go(a_call(), app)

    with database.as_superuser() as connection:
        left = connection.run("SELECT id, dead_at IS NULL FROM messages ORDER BY dead_at NULLS LAST")
    assert [young.id, False] in left
    assert [waiting for _, waiting in left] == [False, True]


def digest(reference):
    return reference.decode().split('"$blob":"')[1].split('"')[0]
