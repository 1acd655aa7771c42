"""The real program as a process, and a client for it."""

import json
import os
import signal
import subprocess
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
from tests.builders.keys import FRESH, keyed
from tests.builders.rates import GENEROUS_ENVIRONMENT
from tests.world.issuer import Issuer, an_issuers_file
from tests.world.warm import started

from carapulse.identity.issuer import DevelopmentIssuer

_COMMAND = ["carapulse.surfaces.cli", "up"]


class Program:
    """`carapulse up` on a data directory; it can be ended in every way and started again."""

    def __init__(
        self, data_dir: Path, connections: list[dict[str, Any]], issuer: Issuer | None = None, **settings: str
    ) -> None:
        self.data_dir = data_dir
        self.outside = issuer
        file = data_dir.parent / f"{data_dir.name}-connections.json"
        file.write_text(json.dumps({"connections": connections}))
        kept = {name: value for name, value in os.environ.items() if not name.startswith("CARAPULSE_")}
        own = {
            "CARAPULSE_CONNECTIONS_FILE": str(file),
            "CARAPULSE_VISIBILITY_S": "2",
            **GENEROUS_ENVIRONMENT,
            **settings,
        }
        if issuer is not None:
            own["CARAPULSE_ISSUERS_FILE"] = str(an_issuers_file(data_dir.parent, issuer.trusted()))
        self.environment = kept | own
        self.log = data_dir.parent / f"{data_dir.name}.log"

    def start(self) -> dict[str, Any]:
        """Start it and return the line that says it is ready."""
        command = [*_COMMAND, "--port", "0", "--data-dir", str(self.data_dir)]
        with self.log.open("ab") as log:
            self.process = started(command, self.environment, stdout=subprocess.PIPE, stderr=log)
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line, self.log.read_text()[-3000:]
        ready: dict[str, Any] = json.loads(line)
        self.url = ready["url"]
        self.issuer = self.outside or DevelopmentIssuer.load_or_make(self.data_dir)
        return ready

    def end(self, number: signal.Signals = signal.SIGTERM) -> tuple[int, float]:
        """Send a signal; return the exit code and how many seconds it took."""
        began = time.monotonic()
        self.process.send_signal(number)
        code = self.process.wait(20)
        assert self.process.stdout is not None
        self.process.stdout.close()
        return code, time.monotonic() - began

    def ask(self, method: str, path: str, who: str = "ada", role: str = "operator", **more: Any) -> httpx.Response:
        """Make one request as somebody; `key` is the idempotency key of a POST, and without it there is a fresh one."""
        keys = keyed(method, more.pop("key", FRESH))
        headers = {"Authorization": f"Bearer {self.token(who, role)}", **keys, **more.pop("headers", {})}
        return httpx.request(method, self.url + path, headers=headers, timeout=20, **more)

    def token(self, who: str, role: str = "operator") -> str:
        """Return a token for somebody."""
        return self.issuer.mint("acme", who, frozenset({role}), timedelta(minutes=10))

    def execute(self, plan: dict[str, Any]) -> str:
        """Create a plan that policy allows, execute it, and return the execution's id."""
        made = self.ask("POST", "/v1/plans", json=plan)
        assert made.status_code == 201, made.text
        begun = self.ask("POST", f"/v1/plans/{made.json()['plan_id']}:execute")
        assert begun.status_code == 202, begun.text
        execution_id: str = begun.json()["execution_id"]
        return execution_id

    def wait(self, execution_id: str, *statuses: str, seconds: float = 30) -> dict[str, Any]:
        """Return the execution once it has one of these statuses."""
        until = time.monotonic() + seconds
        while True:
            state: dict[str, Any] = self.ask("GET", f"/v1/executions/{execution_id}").json()
            if state["status"] in statuses:
                return state
            assert time.monotonic() < until, state
            time.sleep(0.1)

    def wait_for_step(self, execution_id: str, number: int, status: str, seconds: float = 20) -> None:
        """Wait until a step has a status."""
        until = time.monotonic() + seconds
        while self.ask("GET", f"/v1/executions/{execution_id}").json()["steps"][number]["status"] != status:
            assert time.monotonic() < until
            time.sleep(0.05)
