"""Plans of every shape, whatever people ask in any order, and everything that can go wrong: what holds all the same."""

import os
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    initialize,
    invariant,
    multiple,
    rule,
    run_state_machine_as_test,
)
from pg8000.native import Connection
from tests.world.chaos import UnrulyQueue
from tests.world.hurry import ForwardClock, show_messages
from tests.world.mortal import Gone, Life, in_one_life
from tests.world.rig import Rig, a_call, act, check, look
from tests.world.shapes import DRAWN, Drawn, Shape
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
from carapulse.plans.errors import PlanInvalid
from carapulse.runtime.areas import handlers
from carapulse.runtime.minute import do_second
from carapulse.runtime.workers import Workers

EXAMPLES = int(os.environ.get("CARAPULSE_EXAMPLES", "100" if "FAULTS_ALL" in os.environ else "6"))
PHASES = [Phase.reuse, Phase.generate, *([Phase.shrink] if "CARAPULSE_SHRINK" in os.environ else [])]  # takes minutes
HIDDEN_S = 30
ROUNDS = 60  # half an hour: a run that goes on by itself has ended by then, and its deadline has not passed
LIMITS = st.fixed_dictionaries(
    {
        "max_concurrency": st.integers(1, 3),
        "on_failure": st.sampled_from(["undo", "undo", "hold"]),
        "deadline_s": st.sampled_from([3600, 3600, 3600, 3600, 150]),
    }
)
MOST_IN_PRODUCTION = 10  # targets: policy allows no more
PLACES = st.integers(0, 7)
TROUBLE = st.fixed_dictionaries(
    {"place": PLACES, "how": st.sampled_from(["busy", "broken", "cut"]), "back": st.booleans()}
)
WANTED = st.fixed_dictionaries(
    {
        "drawn": DRAWN,
        "limits": LIMITS,
        "environment": st.sampled_from(["dev", "prod"]),
        "begin": st.sampled_from([True, True, True, False]),
        "trouble": st.lists(TROUBLE, max_size=2),
    }
)

SETTINGS = settings(
    max_examples=EXAMPLES,
    stateful_step_count=15,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    phases=PHASES,
    print_blob=True,
)


class Everything(RuleBasedStateMachine):
    """Several plans at once in one world, on one database, with workers that die and a queue that is unruly."""

    rig: Rig
    clock = ForwardClock()
    database: Connection
    made = 0
    tales = Bundle("tales")

    def __init__(self) -> None:
        super().__init__()
        self.all: list[Tale] = []
        self.queue = UnrulyQueue(self.rig.app.queue, 0)
        world = self.rig.world
        world.busy, world.broken, world.cut, world.delays = {}, set(), set(), {}

    @initialize(target=tales, wanted=st.lists(WANTED, min_size=2, max_size=2))
    def begin(self, wanted: list[dict[str, Any]]) -> Any:
        """Two changes are under way already."""
        return multiple(*(self.plan(**{**each, "begin": True}) for each in wanted))

    @rule(target=tales, wanted=WANTED)
    def want(self, *, wanted: dict[str, Any]) -> Tale:
        """Somebody wants a change, and often goes on to have it."""
        return self.plan(**wanted)

    def plan(
        self, *, drawn: Drawn, limits: dict[str, Any], environment: str, begin: bool, trouble: list[dict[str, Any]]
    ) -> Tale:
        """Make a plan, with trouble that waits for it, and have it executed if it is to begin."""
        Everything.made += 1
        shape = Shape(f"p{self.made}", self.clock.now(), drawn)
        self.rig.world.on[shape.seen] = drawn.seen
        where = environment if len(shape.lamps) <= MOST_IN_PRODUCTION else "dev"
        tale = Tale(self.rig, self.rig.plan(*shape.steps, environment=where, constraints=limits), shape)
        self.all.append(tale)
        for each in trouble:
            self.the_world_changes(tale=tale, **each)
        if begin:
            for who in ("grace", "mary")[: tale.plan.approvals_required]:
                self.decide(tale=tale, who=who, yes=True)
            self.execute(tale=tale)
            assert tale.execution is not None
        return tale

    @rule(field=st.sampled_from(["lamp", "tool", "action"]), action=st.sampled_from(["switch", "noop"]))
    def want_an_output_to_say_whom(self, *, field: str, action: str) -> None:
        """Somebody wants a plan that finds out only when it runs whom it touches, or how."""
        step = {**act(action, "hall"), "input_from": {field: {"step": "see", "path": "lamp"}}}
        step["input"] = {name: value for name, value in step["input"].items() if name != field}
        with pytest.raises(PlanInvalid):
            self.rig.plan(look("hall", id="see"), step, check("hall"))

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

    @rule(tale=tales, place=PLACES)
    def retry(self, *, tale: Tale, place: int) -> None:
        """Somebody wants a step tried again."""
        self._retry(tale, tale.named(place))

    def _retry(self, tale: Tale, name: str) -> None:
        command = RetryStep(step_id=name, note="again")
        self._ask(tale, lambda it, _: retry_step(it, command, a_call(), self.rig.app), always=False)

    @rule(tale=tales, place=PLACES)
    def resolve(self, *, tale: Tale, place: int) -> None:
        """Somebody looks, and says what is true of a step."""
        self._resolve(tale, tale.changed(place))

    def _resolve(self, tale: Tale, name: str) -> None:
        command = ResolveStep(step_id=name, done=tale.took_place(name), note="looked")
        self._ask(tale, lambda it, _: resolve_step(it, command, a_call(), self.rig.app), always=False)

    @rule(tale=tales)
    def somebody_lights_what_is_waited_for(self, *, tale: Tale) -> None:
        """What a step waits for comes true."""
        self.rig.world.on[tale.shape.awaited] = True

    @rule(
        tale=tales,
        place=PLACES,
        how=st.sampled_from(["busy", "broken", "cut", "well"]),
        back=st.booleans(),
    )
    def the_world_changes(self, *, tale: Tale, place: int, how: str, back: bool) -> None:
        """Something in the world breaks, is repaired, or loses its answers: one lamp, or all of a fan-out."""
        for lamp, action in tale.together(place):
            self._the_deed_changes(f"{'PUT' if back else 'GET' if action == 'switch' else action} {lamp}", how)

    def _the_deed_changes(self, deed: str, how: str) -> None:
        world = self.rig.world
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

    @rule(others=st.integers(1, 3))
    def work_while_others_are_told_the_same(self, others: int) -> None:
        """A worker is at an effect, its lease holds, and all messages come to another one as well, and so on."""
        self._work_beside(others)

    @rule(seed=st.integers(0, 99))
    def work_in_disorder(self, seed: int) -> None:
        """A worker is given messages twice, late, in any order, or not at all."""
        self.queue.chance.seed(seed)
        self._work(Life(), queue=self.queue)

    def _another_goes_on(self) -> None:
        self.time_passes()
        self._work(Life())

    def _work_beside(self, others: int) -> None:
        life = Life()

        def at_each_effect() -> None:
            self._another_finds_it_busy(others - 1)
            life.after = at_each_effect

        life.after = at_each_effect if others else None
        self._work(life)

    def _another_finds_it_busy(self, others: int) -> None:
        query = "SELECT count(*) FROM events WHERE type = 'StepTakenOver'"
        before = self.database.run(query)
        show_messages(self.database)
        self._work_beside(others)
        assert self.database.run(query) == before, "a step was taken over whose worker is there"

    def _work(self, life: Life, queue: UnrulyQueue | None = None) -> None:
        app = in_one_life(self.rig.app, life)
        given: Any = queue or self.rig.app.queue
        with suppress(Gone):
            Workers(given, handlers(app.settings.orchestrator), app, app.clock, 1, HIDDEN_S, 1000).run_until_idle()

    @rule()
    def time_passes(self) -> None:
        """Half a minute goes by: what was hidden shows itself, leases lapse, and the clock looks after everything."""
        self.clock.put_forward(self.database)
        do_second(self.rig.app)

    @invariant()
    def nothing_is_wrong_so_far(self) -> None:
        """Whatever has happened, nothing took place unasked or twice."""
        assert not [fault for tale in self.all for fault in tale.faults_so_far()]

    def teardown(self) -> None:
        """Let work go on, repair the world, answer every question, let everything end, and look at it."""
        world = self.rig.world
        for number in range(ROUNDS):
            going = [tale for tale in self.all if tale.execution is not None and not tale.state.over]
            if not going:
                break
            if number == 1:
                world.busy, world.broken, world.cut = {}, set(), set()
                world.on |= {tale.shape.awaited: True for tale in going if tale.shape.drawn.awaited}
            for tale in going:
                self._answer(tale, tale.state)
            self._work_beside(2)
            self.time_passes()
        for _ in range(3):  # what was to come within a minute comes, and finds nothing to do
            self.time_passes()
            self._work(Life())
        assert not {tale.plan.plan_id: faults for tale in self.all if (faults := list(tale.faults()))}
        for table in ("run_leases", "target_locks"):
            assert self.database.run(f"SELECT * FROM {table}") == []
        assert self.database.run("SELECT body, last_error FROM messages WHERE queue = 'executions'") == []

    def _answer(self, tale: Tale, state: ExecutionState) -> None:
        if state.paused:
            self.resume(tale=tale)
        elif state.status is Status.NEEDS_HUMAN:
            lost = [step.facts.id for step in state.steps if step.run.status is StepStatus.UNKNOWN]
            if lost:
                self._resolve(tale, lost[0])
            elif tale.tried_again:
                self.cancel(tale=tale, undo=True)
            else:
                tale.tried_again = True
                self._retry(tale, state.left[0])


@pytest.fixture
def rig(database, world, tmp_path):
    """Build the application."""
    built = Rig(database.app_url, world, tmp_path / "data", clock=Everything.clock, visibility_s=HIDDEN_S)
    yield built
    built.close()


@pytest.mark.timeout(3600)
def test_what_holds_for_every_run_holds_whatever_happens(rig, database):
    with database.as_superuser() as connection:
        Everything.rig, Everything.database = rig, connection
        run_state_machine_as_test(Everything, settings=SETTINGS)
