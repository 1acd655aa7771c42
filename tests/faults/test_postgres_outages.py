"""The database goes away in every way there is, in the middle of a step: callers are told, and nothing is lost."""

import gc
import logging
import secrets
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from typing import Any

import pytest
from tests.builders.caller import Caller
from tests.builders.log import StepFinished
from tests.conftest import a_folder
from tests.world.outages import Server, full, small_disk
from tests.world.rig import Rig, a_call, act, check
from tests.world.server import a_world

from carapulse.adapters.postgres.direct import Direct
from carapulse.adapters.postgres.engine import connect
from carapulse.executions.model import Status
from carapulse.kernel.errors import Unavailable
from carapulse.observe import FACTS
from carapulse.runtime.workers import Workers

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")]
Outage = Callable[[], AbstractContextManager[None]]


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with a_folder() as folder:
        ours = Server(folder)
        yield ours
        ours.running.stop()


@pytest.fixture(scope="module")
def shared(server, tmp_path_factory) -> Iterator[Rig]:
    with a_world() as world:
        yield Rig(server.url, world, tmp_path_factory.mktemp("rig") / "data", visibility_s=15)


@pytest.fixture
def rig(shared, server) -> Iterator[Rig]:
    with placed(shared, server) as rig:
        yield rig


@contextmanager
def placed(rig: Rig, server: Server) -> Iterator[Rig]:
    """Let the application work on a server, and give up soon one that hangs."""
    engine = connect(server.url, patience_s=0.4)
    rig.app = replace(rig.app, engine=engine, direct=Direct(server.url, patience_s=0.4))
    rig.world.effects.clear()
    yield rig
    rig.app.close()
    gc.collect()  # the driver leaves the sockets of connections that it could not open to the collector


class Until(dict[str, float]):
    """Delays of the world: none, once a moment has come."""

    def __init__(self, moment: threading.Event) -> None:
        super().__init__()
        self._moment = moment

    def get(self, _deed: str, default: Any = 0) -> Any:
        self._moment.wait(20)
        return default


def begun(rig: Rig, answered: threading.Event) -> str:
    """Begin a run whose first step, which nobody may repeat, has its effect and then waits for the world's answer."""
    rig.world.delays = Until(answered)
    rig.world.on["hall"] = True
    return rig.start(rig.plan(act("ring", "hall"), check("hall")))


def survived(rig: Rig, outage: Outage, caplog: pytest.LogCaptureFixture, cause: str) -> list[tuple[int, str]]:
    """Run through an outage, and return what callers were answered meanwhile: a list, a change, and readiness."""
    answered = threading.Event()
    execution, ask, pool = begun(rig, answered), Caller(rig.app), rig.new_workers(2)
    pool.start()
    try:
        wait_until(lambda: rig.world.counts["ring hall"] == 1)
        with outage():
            answered.set()
            answers = [
                ask("GET", "/v1/plans"),
                ask("POST", f"/v1/executions/{execution}:cancel", {}),
                ask("GET", "/readyz"),
            ]
            wait_until(lambda: cause in causes(caplog) and "result_held" in caplog.messages)
        wait_until(lambda: final(rig, execution), pool)
    finally:
        assert pool.stop(20)
    state = rig.state(execution)
    assert (state.status, state.left, rig.world.effects) == (Status.SUCCEEDED, (), ["ring hall"])
    return [(each.status_code, each.headers.get("retry-after", "")) for each in answers]


def wait_until(holds: Callable[[], bool], pool: Workers | None = None) -> None:
    """Wait; workers of a pool look for messages meanwhile, as when they are notified."""
    until = time.monotonic() + 30
    while not holds():
        assert time.monotonic() < until
        time.sleep(0.02)
        if pool is not None:
            pool.nudge()


def causes(caplog) -> str:
    """Return what the log says about why the queue could not be asked."""
    found = [each for each in caplog.records if each.msg == "queue_unavailable"]
    return " ".join(str(getattr(each, FACTS)) for each in found)


def test_a_server_that_is_not_there(rig, server, caplog):
    answers = survived(rig, server.stopped, caplog, "the database did not answer")

    assert answers == [(503, "5")] * 3


def test_a_server_that_hangs(rig, server, caplog):
    answers = survived(rig, server.frozen, caplog, "the database did not answer")

    assert answers == [(503, "5")] * 3


def test_a_server_that_only_reads(rig, server, caplog):
    """Reads are refused too, unless what the process has borrowed covers them: nothing goes uncounted."""
    answers = survived(rig, server.read_only, caplog, "25006")

    assert answers[0] in {(200, ""), (503, "5")}
    assert answers[1:] == [(503, "5")] * 2


def test_a_server_without_a_free_connection(rig, server, caplog):
    answers = survived(rig, server.taken, caplog, "53300")

    assert answers == [(503, "5")] * 3


def test_a_full_disk(shared, caplog):
    with a_folder() as folder, small_disk(folder / "disk", 160) as disk:
        server = Server(disk)
        try:
            with placed(shared, server) as rig:
                fills_up(rig, server, disk, caplog)
        finally:
            server.running.stop()


def fills_up(rig, server, disk, caplog):
    answered = threading.Event()
    execution, ask, pool = begun(rig, answered), Caller(rig.app), rig.new_workers(2)
    answered.set()
    with full(disk):
        with pytest.raises(Unavailable):
            write_for_ever(rig)
        wait_until(lambda: ask("POST", "/v1/plans", a_plan()).status_code == 503)
        refused = ask("POST", "/v1/plans", a_plan())
        pool.start()
        wait_until(lambda: not {"queue_unavailable", "message_retried", "result_held"}.isdisjoint(caplog.messages))
    if server.running.process.poll() is not None:
        server.start()
    wait_until(lambda: final(rig, execution), pool)
    assert pool.stop(20)

    state = rig.state(execution)
    assert (refused.status_code, refused.headers["retry-after"]) == (503, "5")
    assert (state.status, rig.world.effects) == (Status.SUCCEEDED, ["ring hall"])


def final(rig: Rig, execution: str) -> bool:
    """Say whether a run is over; a server that recovers can't say it yet."""
    try:
        return rig.state(execution).status.at_rest
    except Unavailable:
        return False


def a_plan() -> dict[str, object]:
    steps = [act("switch", "hall"), check("hall")]
    return {"summary": "x", "intent": secrets.token_hex(900), "context": {"environment": "dev"}, "steps": steps}


def write_for_ever(rig: Rig) -> None:
    for number in range(1000):
        with rig.app.begin(a_call()) as work:
            work.record("lamp_1", StepFinished(step=number, output=secrets.token_hex(100_000)))


@pytest.fixture(autouse=True)
def _heard(caplog):
    caplog.set_level(logging.WARNING)
