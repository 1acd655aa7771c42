"""The lines of tools are followed while they run: in order, each once, from exactly where a reader was."""

import threading
import time
from datetime import UTC, datetime
from typing import Any

from tests.world.rig import Rig, a_call

from carapulse.executions.lines import Line
from carapulse.executions.model import Status
from carapulse.executions.reading import read_lines

TALK = """
import time
for n in range(6):
    sys.stderr.write(f"{NAME} {n}\\n")
    sys.stderr.flush()
    time.sleep(0.3)
"""


def talkers(*names):
    values = [{"say": TALK.replace("{NAME}", name)} for name in names]
    return {
        "id": "talk",
        "stage": "diagnose",
        "tool": "nasty",
        "action": "read",
        "input": {"then": {"$each": "say"}},
        "for_each": {"values": values, "max_concurrency": len(names)},
    }


def begun(rig, *names):
    """Start a run whose tools talk at the same time, each with a worker of its own."""
    execution = rig.start(rig.plan(talkers(*names)))
    pools = [rig.new_workers() for _ in names]
    threads = [threading.Thread(target=pool.run_until_idle) for pool in pools]
    for thread in threads:
        thread.start()
        time.sleep(0.05)
    return execution, threads


def followed(app, execution, after=None):
    """Follow the lines to their end, as a client does that comes back with the last id again and again."""
    found: list[Any] = []
    until = time.monotonic() + 20
    while time.monotonic() < until:
        page = read_lines(execution, a_call(), app, after)
        found += page.rows
        after = found[-1].id if found else after
        if page.is_last:
            break
        time.sleep(0.05)
    return found


def test_lines_of_steps_that_run_at_once_are_seen_in_order_and_once(rig):
    execution, threads = begun(rig, "ada", "bob", "cy")

    rows = followed(rig.app, execution)
    for thread in threads:
        thread.join(20)

    state = rig.state(execution)
    assert state.status is Status.SUCCEEDED, state.steps
    said = [row.data["line"] for row in rows]
    assert [int(row.id) for row in rows] == list(range(1, 19))
    for name in ("ada", "bob", "cy"):
        assert [line for line in said if line.startswith(name)] == [f"{name} {n}" for n in range(6)]


def test_lines_are_seen_while_their_tool_still_runs(rig):
    execution, threads = begun(rig, "ada")
    until = time.monotonic() + 10
    while not (page := read_lines(execution, a_call(), rig.app, None)).rows:
        assert time.monotonic() < until
        time.sleep(0.05)

    assert (rig.state(execution).status, page.is_last) == (Status.RUNNING, False)
    threads[0].join(20)


def test_a_reader_goes_on_where_it_was_also_with_another_program(rig, database, world, tmp_path):
    execution, threads = begun(rig, "ada", "bob")
    for thread in threads:
        thread.join(20)
    whole = followed(rig.app, execution)
    other = Rig(database.app_url, world, tmp_path / "other")

    rest = [followed(other.app, execution, row.id) for row in whole]

    other.close()
    assert rest == [whole[place:] for place in range(1, len(whole) + 1)]


def test_lines_that_are_committed_late_are_missed_by_no_reader(rig):
    execution = rig.start(rig.plan(talkers("ada")))
    begin = lambda: rig.app.begin(a_call())  # noqa: E731 - twice the same, once in a thread
    with begin() as slow:
        slow.executions.add_lines(execution, [a_line(execution, "first")])
        quick = threading.Thread(target=add, args=(begin, execution, "second"))
        quick.start()
        quick.join(0.5)
        early = read_lines(execution, a_call(), rig.app, None)
    quick.join(10)

    assert (early.rows, early.is_last) == ((), False)
    late: list[Any] = list(read_lines(execution, a_call(), rig.app, None).rows)
    assert [row.data["line"] for row in late] == ["first", "second"]


def add(begin, execution, text):
    with begin() as work:
        work.executions.add_lines(execution, [a_line(execution, text)])


def a_line(execution, text):
    return Line(execution, "talk-1", "run", datetime.now(UTC), text)
