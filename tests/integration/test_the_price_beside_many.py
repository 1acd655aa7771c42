"""What a run reads does not grow with the plans that wait beside it, and none of it is found by looking through a table."""

from collections.abc import Callable
from contextlib import closing
from itertools import count

import pytest
from tests.builders.instant import an_instant_rig, noops
from tests.builders.waiting import wait_for_approval

_FEW, _MANY = 10, 1_000
_TOUCHED = (
    "SELECT c.relname, s.seq_scan, s.seq_tup_read + coalesce(s.idx_tup_fetch, 0)"
    " FROM pg_stat_user_tables s JOIN pg_class c ON c.oid = s.relid"
)
_END = (  # what a session has counted is told when it ends, and waited for
    "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
    " WHERE datname = current_database() AND pid <> pg_backend_pid()"
)
_numbers = count(1)


@pytest.fixture
def touched(database, data_dir) -> Callable[[int], dict[str, tuple[int, int]]]:
    """Return a function that lets so many more plans wait, works off a run, and tells of each table what was read."""

    def work_beside(waiting: int) -> dict[str, tuple[int, int]]:
        folder = data_dir / f"data-{next(_numbers)}"
        with closing(an_instant_rig(database.app_url, folder)) as rig, database.as_superuser() as connection:
            wait_for_approval(rig, connection, waiting)
            execution_id = rig.start(noops(rig, folder.name))
            rig.close()
            connection.run(_END)
            before = {name: (scans, rows) for name, scans, rows in connection.run(_TOUCHED)}
            rig.workers.run_until_idle()
            rig.close()
            connection.run(_END)
            after = {name: (scans, rows) for name, scans, rows in connection.run(_TOUCHED)}
            assert rig.state(execution_id).status == "succeeded"
        return {name: (scans - before[name][0], rows - before[name][1]) for name, (scans, rows) in after.items()}

    return work_beside


def test_a_run_reads_no_more_beside_many_plans_and_everything_by_an_index(touched):
    few = touched(_FEW)
    many = touched(_MANY)

    assert sum(rows for _, rows in few.values()) > 10, few
    assert {name: scans for name, (scans, _) in many.items() if scans} == {}
    more = {name: (few[name][1], rows) for name, (_, rows) in many.items() if rows > few[name][1] + 2}
    assert more == {}
