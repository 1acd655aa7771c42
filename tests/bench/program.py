"""The program as `carapulse up` starts it, and beside it, in the same process on the same kind of server, a bare route."""

import json
import logging
import sys
import time
from pathlib import Path
from typing import Any

from fastapi import FastAPI
from tests.bench.child import obey
from tests.builders.rates import GENEROUS

from carapulse.adapters.postgres.door import Door
from carapulse.runtime.local import Program, running
from carapulse.runtime.logging import set_up_logging
from carapulse.runtime.serving import serve_http
from carapulse.settings import Settings

_BY_KEY = "SELECT body, digest FROM plan_versions WHERE tenant = %s AND plan_id = %s AND version = 1"


class Served:
    """What the process that serves can be told to do."""

    def __init__(self, program: Program, bare_url: str) -> None:
        self.program, self.bare_url = program, bare_url

    def where(self) -> dict[str, str]:
        """Return where the API and the bare route answer, and the database's address."""
        database = Door.at(self.program.app.journal.direct.where).address()
        return {"url": self.program.url, "bare": self.bare_url, "database": database}

    def select(self, tenant: str, plan_id: str, times: int) -> dict[str, Any]:
        """Read one plan's version by its key so often, with the driver of the API on one of its connections.

        Return the seconds of each, and those of the processor in all.
        """
        taken = []
        with self.program.app.engine.connect() as connection:
            plain: Any = connection.connection.driver_connection
            plain.autocommit = True
            cursor = plain.cursor()
            cursor.execute("SELECT set_config('carapulse.tenant', %s, false)", (tenant,))
            used = time.thread_time()
            for _ in range(times):
                began = time.perf_counter()
                cursor.execute(_BY_KEY, (tenant, plan_id))
                assert cursor.fetchone()
                taken.append(time.perf_counter() - began)
            used = time.thread_time() - used
            connection.invalidate()
        return {"latencies": taken, "used": used}


def a_bare_application() -> FastAPI:
    """Return an application of one synchronous route, as the framework's own tutorial begins."""
    http = FastAPI(telemetry={"auto_configure": False})

    @http.get("/bare")
    def bare() -> dict[str, str]:
        return {"status": "ok"}

    return http


def main(folder: str) -> None:
    """Serve until nobody tells anything any more."""
    log = (Path(folder) / "log").open("a")
    set_up_logging("carapulse", stream=log)
    logging.captureWarnings(capture=False)
    settings = Settings(data_dir=Path(folder), port=0, **GENEROUS)
    with running(settings) as program:
        stop, bare_url = serve_http(a_bare_application(), settings)
        served = Served(program, bare_url)
        obey({"where": served.where, "select": served.select, "used": time.process_time})
        stop()
    log.close()


if __name__ == "__main__":
    main(json.loads(sys.argv[1])["folder"])
