"""Plans of changes in a row or a tree, whatever people ask in any order, and everything that can go wrong: what holds all the same."""

import os
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, rule, run_state_machine_as_test
from tests.conftest import Database
from tests.world.chaos import UnrulyQueue
from tests.world.hurry import let_time_pass, show_messages
from tests.world.mortal import Gone, Life, in_one_life
from tests.world.rig import Rig, a_call, act, check
from tests.world.tale import Tale

from carapulse.approvals.usecases import DecideApproval, decide_approval
from carapulse.executions.model import ExecutionState, Status, StepStatus
from carapulse.executions.usecases import ExecutePlan, execute_plan
from carapulse.executions.wishes import (
    CancelExecution,
    PauseExecution,
    ResolveStep,
    ResumeExecution,
    RetryStep,
    cancel_execution,
    pause_execution,
    resolve_step,
    resume_execution,
    retry_step,
)
from carapulse.kernel.errors import Conflict, Denied, NotFound
from carapulse.runtime.areas import handlers
from carapulse.runtime.minute import do_second
from carapulse.runtime.workers import Workers

EXAMPLES = int(os.environ.get("CARAPULSE_EXAMPLES", "10"))
PHASES = [Phase.reuse, Phase.generate, *([Phase.shrink] if "CARAPULSE_SHRINK" in os.environ else [])]  # takes minutes
HIDDEN_S = 30
ACTIONS = st.sampled_from(["switch", "switch", "toggle", "ring", "noop"])
LIMITS = st.fixed_dictionaries({"max_concurrency": st.integers(1, 3), "on_failure": st.sampled_from(["undo", "hold"])})


class Everything(RuleBasedStateMachine):
    """Several plans at once in one world, on one database, with workers that die and a queue that is unruly."""

    rig: Rig
    database: Database
    made = 0
    tales = Bundle("tales")

    def __init__(self) -> None:
        super().__init__()
        self.all: list[Tale] = []
        self.queue = UnrulyQueue(self.rig.app.queue, 0)
        world = self.rig.world
        world.busy, world.broken, world.cut, world.delays = {}, set(), set(), {}

    @rule(
        target=tales,
        actions=st.lists(ACTIONS, min_size=1, max_size=4),
        tree=st.booleans(),
        on=st.booleans(),
        limits=LIMITS,
        environment=st.sampled_from(["dev", "prod"]),
        begin=st.sampled_from([True, True, True, False]),
    )
    def plan(
        self, *, actions: list[str], tree: bool, on: bool, limits: dict[str, Any], environment: str, begin: bool
    ) -> Tale:
        """Somebody wants a change, and often goes on to have it. Whether it will help is in `on`."""
        Everything.made += 1
        lamps = {f"s{place}": (f"p{self.made}-{place}", action) for place, action in enumerate(actions)}
        steps = [act(action, lamp, id=name) for name, (lamp, action) in lamps.items()]
        for step in steps[1:] if tree else []:
            step["depends_on"] = ["s0"]
        lit = actions[0] in {"switch", "toggle"}
        last = check(lamps["s0"][0], on=on if lit else not on)
        tale = Tale(self.rig, self.rig.plan(*steps, last, environment=environment, constraints=limits), lamps)
        self.all.append(tale)
        if begin:
            for who in ("grace", "mary")[: tale.plan.approvals_required]:
                self.decide(tale=tale, who=who, yes=True)
            self.execute(tale=tale)
            assert tale.execution is not None
        return tale

    @rule(tale=tales, who=st.sampled_from(["grace", "mary", "ada"]), yes=st.sampled_from([True, True, True, False]))
    def decide(self, *, tale: Tale, who: str, yes: bool) -> None:
        """Somebody approves or denies it, whether or not it is theirs to decide."""
        status = "approved" if yes else "denied"
        command = DecideApproval(plan_id=tale.plan.plan_id, status=status, digest=tale.plan.digest)
        try:
            decide_approval(command, a_call(who, "approver"), self.rig.app)
        except (Conflict, NotFound, Denied):
            return
        assert who != "ada", "somebody approved what they asked for"
        assert not tale.denied, "it was decided already"
        tale.approved, tale.denied = tale.approved or yes, not yes

    @rule(tale=tales)
    def execute(self, *, tale: Tale) -> None:
        """Somebody executes it, whether or not that is allowed."""
        try:
            execution = execute_plan(tale.plan.plan_id, ExecutePlan(), a_call(), self.rig.app).id
        except (Conflict, Denied):
            return
        assert tale.execution in {None, execution}, "it was executed twice"
        assert not tale.denied, "it was denied"
        assert tale.approved or not tale.plan.approvals_required, "nobody approved it"
        tale.execution = execution

    def _ask(self, tale: Tale, ask: Callable[[str, ExecutionState], object], *, always: bool) -> None:
        """Ask something of an execution. `always` says that it is refused only if it is over."""
        if tale.execution is None:
            return
        before = tale.state
        refused = True
        with suppress(Conflict, NotFound):
            ask(tale.execution, before)
            refused = False
        assert not (always and refused and not before.over)
        assert refused or not before.over

    @rule(tale=tales, undo=st.booleans())
    def cancel(self, *, tale: Tale, undo: bool) -> None:
        """Somebody stops it."""
        command = CancelExecution(undo=undo)
        self._ask(tale, lambda it, _: cancel_execution(it, command, a_call(), self.rig.app), always=True)

    @rule(tale=tales)
    def pause(self, *, tale: Tale) -> None:
        """Somebody pauses it."""
        self._ask(tale, lambda it, _: pause_execution(it, PauseExecution(), a_call(), self.rig.app), always=True)

    @rule(tale=tales)
    def resume(self, *, tale: Tale) -> None:
        """Somebody lets it go on."""
        self._ask(tale, lambda it, _: resume_execution(it, ResumeExecution(), a_call(), self.rig.app), always=True)

    @rule(tale=tales, place=st.integers(0, 3))
    def retry(self, *, tale: Tale, place: int) -> None:
        """Somebody wants a step tried again."""
        command = RetryStep(step_id=f"s{place}", note="again")
        self._ask(tale, lambda it, _: retry_step(it, command, a_call(), self.rig.app), always=False)

    @rule(tale=tales, place=st.integers(0, 3))
    def resolve(self, *, tale: Tale, place: int) -> None:
        """Somebody looks, and says what is true of a step."""
        name = f"s{place}"
        if name in tale.lamps:
            command = ResolveStep(step_id=name, done=tale.took_place(name), note="looked")
            self._ask(tale, lambda it, _: resolve_step(it, command, a_call(), self.rig.app), always=False)

    @rule(
        tale=tales,
        place=st.integers(0, 3),
        how=st.sampled_from(["busy", "broken", "cut", "well"]),
        back=st.booleans(),
    )
    def the_world_changes(self, *, tale: Tale, place: int, how: str, back: bool) -> None:
        """Something in the world breaks, is repaired, or loses its answers."""
        lamp, action = tale.lamps.get(f"s{place}", tale.lamps["s0"])
        deed, world = f"{'PUT' if back else 'GET' if action == 'switch' else action} {lamp}", self.rig.world
        world.busy.pop(deed, None)
        world.broken.discard(deed)
        world.cut.discard(deed)
        if how == "busy":
            world.busy[deed] = 2
        elif how != "well":
            getattr(world, how).add(deed)

    @rule(ends_at=st.integers(0, 14))
    def work(self, ends_at: int) -> None:
        """A worker works until nothing is left that it was told of, or dies at one of its boundaries."""
        self._work(Life(ends_at))

    @rule()
    def work_and_die_of_an_effect(self) -> None:
        """A worker dies when an effect has taken place and nobody has noted it."""
        life = Life()
        life.after = life.end
        self._work(life)

    @rule()
    def work_too_slowly(self) -> None:
        """A worker is at an effect for so long that its lease goes to another, and comes back to tell of it."""
        self._work(Life(after=self._another_goes_on))

    @rule()
    def work_while_another_is_told_the_same(self) -> None:
        """A worker is at an effect, its lease holds, and all messages come to another one as well."""
        self._work(Life(after=self._another_finds_it_busy))

    @rule(seed=st.integers(0, 99))
    def work_in_disorder(self, seed: int) -> None:
        """A worker is given messages twice, late, in any order, or not at all."""
        self.queue.chance.seed(seed)
        self._work(Life(), queue=self.queue)

    def _another_goes_on(self) -> None:
        self.time_passes()
        self._work(Life())

    def _another_finds_it_busy(self) -> None:
        query = "SELECT count(*) FROM events WHERE type = 'StepTakenOver'"
        with self.database.as_superuser() as connection:
            before = connection.run(query)
            show_messages(connection)
            self._work(Life())
            assert connection.run(query) == before, "a step was taken over whose worker is there"

    def _work(self, life: Life, queue: UnrulyQueue | None = None) -> None:
        app = in_one_life(self.rig.app, life)
        given: Any = queue or self.rig.app.queue
        with suppress(Gone):
            Workers(given, handlers(app.settings.orchestrator), app, app.clock, 1, HIDDEN_S, 1000).run_until_idle()

    @rule()
    def time_passes(self) -> None:
        """Half a minute goes by: what was hidden shows itself, leases lapse, and the clock looks after everything."""
        with self.database.as_superuser() as connection:
            let_time_pass(connection)
            connection.run("UPDATE executions SET look_at = clock_timestamp() WHERE look_at IS NOT NULL")
        do_second(self.rig.app)

    @invariant()
    def nothing_is_wrong_so_far(self) -> None:
        """Whatever has happened, nothing took place unasked or twice."""
        assert not [fault for tale in self.all for fault in tale.faults_so_far()]

    def teardown(self) -> None:
        """Repair the world, answer every question, let everything end, and look at it."""
        world = self.rig.world
        world.busy, world.broken, world.cut = {}, set(), set()
        until = time.monotonic() + 30  # retries wait for the clock on the wall, however fast the rounds are
        while going := [tale for tale in self.all if tale.execution is not None and not tale.state.over]:
            if time.monotonic() > until:
                break
            for tale in going:
                self._answer(tale, tale.state)
            self.time_passes()
            self._work(Life())
        self.time_passes()
        self._work(Life())
        assert not {tale.plan.plan_id: faults for tale in self.all if (faults := list(tale.faults()))}
        with self.database.as_superuser() as connection:
            for table in ("run_leases", "target_locks"):
                assert connection.run(f"SELECT * FROM {table}") == []
            assert connection.run("SELECT body, last_error FROM messages WHERE queue = 'executions'") == []

    def _answer(self, tale: Tale, state: ExecutionState) -> None:
        if state.paused:
            self.resume(tale=tale)
        elif state.status is Status.NEEDS_HUMAN:
            lost = [step.facts.id for step in state.steps if step.run.status is StepStatus.UNKNOWN]
            self.resolve(tale=tale, place=int(lost[0][1:])) if lost else self.cancel(tale=tale, undo=True)


@pytest.fixture
def rig(database, world, tmp_path):
    """Build the application."""
    built = Rig(database.app_url, world, tmp_path / "data", visibility_s=HIDDEN_S)
    yield built
    built.close()


@pytest.mark.timeout(3600)
def test_what_holds_for_every_run_holds_whatever_happens(rig, database):
    Everything.rig, Everything.database = rig, database

    run_state_machine_as_test(
        Everything,
        settings=settings(
            max_examples=EXAMPLES,
            stateful_step_count=25,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            phases=PHASES,
            print_blob=True,
        ),
    )
