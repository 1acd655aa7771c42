"""The world of the demo: a repository, the service that it declares, a reconciler between them, and customers."""

import json
import sys
import threading
import time
from collections import deque
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

import httpx

from carapulse.surfaces.demo.claims import DemoError
from carapulse.surfaces.demo.processes import Program
from carapulse.surfaces.demo.reconciler import APPLICATION
from carapulse.surfaces.demo.repository import DECLARATION, Repository

_PAUSE_S: Final = 0.1
_RECENT: Final = 15
_TIMEOUT_S: Final = 5.0


@dataclass(frozen=True)
class Order:
    """What one customer saw."""

    status: int
    version: str
    seconds: float


class Customers(threading.Thread):
    """Order something ten times a second, as real customers would, and remember how that went."""

    def __init__(self, url: str) -> None:
        super().__init__(name="customers", daemon=True)
        self._url = url
        self._left = threading.Event()
        self._recent: deque[Order] = deque(maxlen=_RECENT)

    def run(self) -> None:
        """Order until told to leave."""
        with httpx.Client(timeout=_TIMEOUT_S, trust_env=False) as http:
            while not self._left.wait(_PAUSE_S):
                self._recent.append(order(http, self._url))

    def leave(self) -> None:
        """Stop ordering."""
        self._left.set()
        self.join(_TIMEOUT_S)

    def failing_percent(self) -> float:
        """Return how many of the last orders failed, in percent."""
        seen = list(self._recent)
        return 100 * sum(one.status >= HTTPStatus.INTERNAL_SERVER_ERROR for one in seen) / len(seen) if seen else 0.0

    def enough(self) -> bool:
        """Say whether enough was seen to speak of a rate."""
        return len(self._recent) == _RECENT


def order(http: httpx.Client, url: str) -> Order:
    """Order something once; no answer counts as a failure of the service."""
    started = time.monotonic()
    try:
        answer = http.get(url)
    except httpx.TransportError:
        return Order(599, "", time.monotonic() - started)
    return Order(answer.status_code, str(answer.json().get("version")), time.monotonic() - started)


class World:
    """Everything outside Carapulse, real and running. Leaving it ends all of it."""

    def __init__(self, folder: Path) -> None:
        self.repository = Repository.create(folder / "deploy.git")
        self._folder = folder
        self._http = httpx.Client(timeout=_TIMEOUT_S, trust_env=False)
        self.reconciler: Program | None = None
        self.customers: Customers | None = None
        self.service_url = self.reconciler_url = ""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.customers is not None:
            self.customers.leave()
        if self.reconciler is not None:
            self.reconciler.stop()
        self._http.close()

    def begin(self, version: str) -> None:
        """Declare a release, and let the reconciler run it."""
        self.repository.declare(version, f"Release checkout {version}")
        where = ["--repository", str(self.repository.folder), "--path", DECLARATION]
        command = [sys.executable, "-m", "carapulse.surfaces.demo.reconciler", *where]
        self.reconciler = Program.start("the reconciler", command, self._folder / "reconciler.log")
        ready = self.reconciler.await_ready()
        self.service_url = f"http://127.0.0.1:{ready['service_port']}/checkout"
        self.reconciler_url = f"http://127.0.0.1:{ready['status_port']}{APPLICATION}"
        self.customers = Customers(self.service_url)
        self.customers.start()

    def release(self, version: str) -> None:
        """Release as a pipeline would, which nobody judged, and wait until it runs."""
        commit = self.repository.declare(version, f"Release checkout {version}")
        self.await_revision(commit)

    def application(self) -> dict[str, Any]:
        """Ask the reconciler itself where things stand."""
        answer = self._http.get(self.reconciler_url)
        found: dict[str, Any] = json.loads(answer.text)
        return found

    def order(self) -> Order:
        """Order something from the service itself."""
        return order(self._http, self.service_url)

    def await_revision(self, commit: str | None, patience_s: float = 10.0) -> None:
        """Wait until what a commit declares runs."""
        until = time.monotonic() + patience_s
        while time.monotonic() < until:
            state = self.application()["status"]
            if state["sync"] == {"status": "Synced", "revision": commit}:
                return
            time.sleep(0.05)
        raise DemoError(f"the reconciler did not come to {commit} within {patience_s:.0f} s")

    def await_failures(self, percent: float, patience_s: float = 10.0) -> float:
        """Wait until customers see this rate of failures, and return it."""
        until = time.monotonic() + patience_s
        while time.monotonic() < until:
            if self.customers is not None and self.customers.enough():
                rate = self.customers.failing_percent()
                if rate >= percent:
                    return rate
            time.sleep(0.05)
        raise DemoError(f"customers did not see {percent:.0f} % of their orders fail")
