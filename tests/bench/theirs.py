"""One process of DBOS that does the same: workflows of 10 steps that do nothing, called directly or by its queue."""

import json
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from dbos import DBOS, DBOSConfig
from tests.bench.child import obey

_STEPS = 10
_QUEUE = "bench"
_POLL_S = 0.01


@DBOS.step()
def noop(number: int) -> dict[str, Any]:
    """Do nothing, and say so."""
    return {"lit": True, "number": number}


@DBOS.workflow()
def ten(salt: int) -> int:
    """Take ten steps, one after the other."""
    return len([noop(salt + number) for number in range(_STEPS)])


class Process:
    """What one process of the bench can be told to do."""

    def __init__(self, name: str, url: str, pool: int, threads: int) -> None:
        config: DBOSConfig = {
            "name": "bench",
            "system_database_url": url,
            "sys_db_pool_size": pool,
            "application_version": "bench",
            "executor_id": name,
            "log_level": "ERROR",
        }
        DBOS(config=config)
        DBOS.launch()
        DBOS.register_queue(_QUEUE, worker_concurrency=threads, polling_interval_sec=_POLL_S)

    def run(self, runs: int, threads: int) -> None:
        """Call so many workflows, so many at once, and return when the last is over."""
        with ThreadPoolExecutor(threads) as pool:
            assert set(pool.map(ten, range(runs))) == {_STEPS}

    def enqueue(self, runs: int) -> None:
        """Put so many workflows into the queue and wait for them."""
        for handle in [DBOS.enqueue_workflow(_QUEUE, ten, number) for number in range(runs)]:
            handle.get_result()

    def alone(self, runs: int) -> list[float]:
        """Run one workflow after the other and return how many seconds each took."""
        return [_timed(number) for number in range(runs)]


def _timed(number: int) -> float:
    began = time.perf_counter()
    ten(number)
    return time.perf_counter() - began


def main() -> None:
    """Do what the parent says."""
    process = Process(**json.loads(sys.argv[1]))
    obey({"run": process.run, "enqueue": process.enqueue, "alone": process.alone, "used": time.process_time})
    DBOS.destroy()


if __name__ == "__main__":
    main()
