"""What a worker's process does, from asking for the execution to the end of it, or to its own."""

import tempfile
import time
from dataclasses import dataclass, replace
from functools import cache, partial
from pathlib import Path

from tests.faults.killing.boundaries import Boundaries, count_commits
from tests.world.bounded import BoundedDirect, BoundedToolbox
from tests.world.hurry import let_time_pass
from tests.world.rig import LAMP, TENANT, a_call

from carapulse.adapters.embedded.postgres import over_socket
from carapulse.adapters.postgres.direct import Direct
from carapulse.adapters.postgres.engine import connect
from carapulse.bootstrap import App, make_app
from carapulse.bootstrap.shipped import Shipped
from carapulse.executions.usecases import ExecutePlan, execute_plan, look_after_overdue
from carapulse.runtime.areas import handlers
from carapulse.runtime.workers import Workers
from carapulse.settings import Settings
from carapulse.tools.connections import Connections

_LONGEST_S = 40.0
_CLOCK = "the clock moved on"


@dataclass(frozen=True)
class Task:
    """One process: on which database and in which world, and at which of its boundaries it is killed; 0 is never."""

    url: str
    socket: str
    database: str
    connections: Path
    plan_id: str
    trace: Path
    kill_at: int = 0
    executes: bool = True
    alone: bool = True
    visibility_s: float = 30.0


class Glance:
    """Somebody whom no wall stops looks at a database; none of it is a boundary."""

    def __init__(self, socket: str, database: str) -> None:
        self.connection = over_socket(socket, database)

    def close(self) -> None:
        """Look no more."""
        self.connection.close()

    def number(self, query: str) -> float:
        """Return the one number that a query gives."""
        ((value,),) = self.connection.run(query)
        return float(value or 0)

    @property
    def begun(self) -> bool:
        """Whether there is an execution."""
        return self.number("SELECT count(*) FROM executions") > 0

    @property
    def messages(self) -> int:
        """How many messages there are for workers."""
        return int(self.number("SELECT count(*) FROM messages WHERE queue = 'executions' AND dead_at IS NULL"))

    @property
    def at_rest(self) -> bool:
        """Whether it has come to an end, and nobody was told to do anything more."""
        moving = "SELECT count(*) FROM executions WHERE status IN ('running', 'undoing')"
        return self.begun and not self.number(moving) and not self.messages

    @property
    def leases(self) -> int:
        """How many leases hold."""
        return int(self.number("SELECT count(*) FROM run_leases WHERE until > clock_timestamp()"))

    @property
    def due_in_s(self) -> float:
        """In how many seconds the next message shows itself."""
        first = "SELECT extract(epoch FROM min(available_at) - clock_timestamp())"
        return self.number(f"{first} FROM messages WHERE queue = 'executions' AND dead_at IS NULL")

    def let_time_pass(self) -> None:
        """Let everything lapse that lapses by itself."""
        let_time_pass(self.connection)

    def wake(self) -> None:
        """Let the moment come at which the clock looks after the execution."""
        self.connection.run("UPDATE executions SET look_at = clock_timestamp() WHERE finished_at IS NULL")


@cache
def prepared() -> App:
    """Return the application as it is before it has a database or a world: rules compiled, manifests read."""
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(data_dir=Path(folder))
        shipped = Shipped.read(settings, [LAMP])
        return make_app(settings, "postgresql://nobody@127.0.0.1:9/nothing", shipped=shipped)


def an_app(task: Task, boundaries: Boundaries) -> App:
    """Return the application of one process, every commit and effect of which is counted."""
    base = prepared()
    engine, direct = connect(task.url), BoundedDirect(Direct(task.url), boundaries)
    count_commits(engine, boundaries)
    toolbox = replace(base.toolbox, connections=Connections.load(task.connections, base.catalogue))
    return replace(
        base,
        settings=base.settings.model_copy(update={"visibility_s": task.visibility_s}),
        engine=engine,
        direct=direct,  # type: ignore[arg-type]
        read_toolbox=cache(partial(BoundedToolbox, toolbox, boundaries)),  # type: ignore[arg-type]
    )


def work(task: Task) -> None:
    """Execute the plan if nobody has, and work until nothing is left to do."""
    boundaries = Boundaries(task.trace, task.kill_at)
    app, glance = an_app(task, boundaries), Glance(task.socket, task.database)
    if task.executes and not glance.begun:
        execute_plan(task.plan_id, ExecutePlan(), a_call(), app)
    settings = app.settings
    workers = Workers(
        app.queue,
        handlers(settings.orchestrator).only({"executions"}),
        app,
        app.clock,
        1,
        settings.visibility_s,
        settings.max_deliveries,
    )
    if not task.alone:
        workers.start()
    until = time.monotonic() + _LONGEST_S
    while not glance.at_rest and time.monotonic() < until:
        _go_on(task, app, workers, glance)
    workers.stop(5)
    app.close()


def _go_on(task: Task, app: App, workers: Workers, glance: Glance) -> None:
    due_in_s, waiting = glance.due_in_s, glance.messages
    if waiting and due_in_s <= 0:
        workers.run_until_idle() if task.alone else workers.nudge()
    elif glance.begun and not waiting and not glance.leases and not glance.at_rest:
        with task.trace.open("a") as file:
            file.write(f"{_CLOCK}\n")
        glance.wake()
        look_after_overdue(a_call(tenant=TENANT), app)
    time.sleep(min(max(due_in_s, 0.005), 0.03))
