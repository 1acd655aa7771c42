"""Partitions are made ahead, by whoever comes first, and nothing fails for want of one."""

from concurrent.futures import ThreadPoolExecutor, wait
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.exc import ProgrammingError
from tests.builders.growing import an_execution, begin_partition, partitions
from tests.builders.log import a_call, write
from tests.world.rig import check

from carapulse.audit.usecases import make_checkpoint
from carapulse.retention.usecases import make_room
from carapulse.runtime.minute import do_minute

PARENTS = ("events", "step_lines", "step_outputs")


def where(database, table):
    """Return which partitions hold rows."""
    with database.as_superuser() as connection:
        return sorted({name for (name,) in connection.run(f"SELECT tableoid::regclass::text FROM {table}")})


def test_a_new_database_has_room_for_some_time(database):
    assert partitions(database, "events") == ["events_0", "events_1", "events_2", "events_default"]
    assert len(partitions(database, "step_lines")) == len(partitions(database, "step_outputs")) == 5


def test_making_room_again_makes_nothing(app, database):
    before = [partitions(database, parent) for parent in PARENTS]

    assert make_room(a_call(), app) == []
    assert [partitions(database, parent) for parent in PARENTS] == before


def test_a_log_that_grows_gets_its_next_partitions(app, database):
    begin_partition(database, 1)
    write(app)
    make_room(a_call(), app)

    assert where(database, "events") == ["events_1"]
    assert partitions(database, "events") == ["events_0", "events_1", "events_2", "events_3", "events_default"]


def test_the_minutes_work_makes_room_and_covers_the_log(rig, database):
    begin_partition(database, 1)
    rig.plan(check("hall"))

    do_minute(rig.app)

    assert partitions(database, "events") == ["events_0", "events_1", "events_2", "events_3", "events_default"]
    with database.as_superuser() as connection:
        assert connection.run("SELECT count(*) FROM checkpoints") == [[1]]


def test_whoever_makes_room_second_waits_and_finds_it_made(app, database):
    begin_partition(database, 1)
    write(app)

    with ThreadPoolExecutor(1) as pool:
        with app.begin(a_call()) as first:
            first.room.make_partitions()
            second = pool.submit(make_room, a_call(), app)
            _, waiting = wait([second], timeout=0.5)
        assert second.result() == []

    assert waiting == {second}
    assert partitions(database, "events")[-2:] == ["events_3", "events_default"]


def test_an_event_without_a_partition_is_kept_read_and_reported(app, database):
    begin_partition(database, 7)
    write(app, count=2)

    strays = make_room(a_call(), app)

    assert strays == ["events"]
    assert where(database, "events") == ["events_default"]
    made = make_checkpoint(a_call(), app)
    assert made is not None
    assert made.size == 3
    write(app)
    assert where(database, "events") == ["events_default"]
    begin_partition(database, 8)
    write(app)
    assert where(database, "events") == ["events_8", "events_default"]


def test_what_an_execution_left_lies_in_the_week_of_its_beginning(database):
    now = datetime.now(UTC)
    for days in (0, 7, 14):
        an_execution(database, now + timedelta(days=days))

    for table in ("step_lines", "step_outputs"):
        assert len(where(database, table)) == 3
        assert f"{table}_default" not in where(database, table)


def test_rows_find_their_partition_without_naming_what_they_are_parted_by(app, database):
    execution = an_execution(database, datetime.now(UTC))
    inserts = (
        (
            "INSERT INTO events (tenant, stream, seq, id, type, at, actor, trace, body, prev, hash)"
            " SELECT 'acme', 'plan_1', 1, 'event_1', 'PlanDrafted', now(), 'ada', '', '{}', '', 'sha256:x'"
        ),
        (
            "INSERT INTO step_outputs (tenant, execution_id, step_id, phase, fence, digest, output, text, truncated)"
            f" SELECT 'acme', '{execution}', 's', 'run', 2, 'sha256:x', '{{}}', '', false"
        ),
        (
            "INSERT INTO step_lines (tenant, execution_id, n, step_id, phase, at, line)"
            f" SELECT 'acme', '{execution}', n, 's', 'run', now(), 'line ' || n FROM generate_series(2, 4) n"
        ),
    )

    with app.begin(a_call()) as work:
        for insert in inserts:
            work.connection.execute(text(insert))

        numbers = work.connection.execute(text("SELECT n FROM step_lines ORDER BY n")).scalars().all()
    assert numbers == [1, 2, 3, 4]
    assert where(database, "events") == ["events_0"]
    assert "step_outputs_default" not in where(database, "step_outputs")


@pytest.mark.parametrize("parent", PARENTS)
@pytest.mark.parametrize("verb", ["SELECT 1 FROM", "TRUNCATE", "DELETE FROM", "DROP TABLE"])
def test_the_program_reaches_no_partition_but_through_its_parent(app, database, parent, verb):
    partition = partitions(database, parent)[0]

    with pytest.raises(ProgrammingError, match=r"permission denied|must be owner"), app.begin(a_call()) as work:
        work.connection.execute(text(f"{verb} {partition}"))


@pytest.mark.parametrize("function", ["add_partition('events', 'mine', 'DEFAULT')", "refuse_recent(now())"])
def test_the_program_can_call_only_what_decides_for_itself(app, function):
    with pytest.raises(ProgrammingError, match="permission denied"), app.begin(a_call()) as work:
        work.connection.execute(text(f"SELECT {function}"))
