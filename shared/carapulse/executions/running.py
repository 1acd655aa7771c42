"""One worker's way through an execution: attempt after attempt, each result written together with the next intent.

The order is always the same: intent, effect, result. The stream's head says whether anything else has happened to the
plan since it was read; then nothing is written, everything is read again and judged anew. At least once is enough: a
message that comes twice finds nothing to do, and an attempt whose worker is gone is taken over and found out about.
"""

import time
from dataclasses import dataclass, field

from carapulse.executions.attempts import Attempt
from carapulse.executions.beginning import Beginner, step_of
from carapulse.executions.drafts import Draft, Key, key_of
from carapulse.executions.errors import EventOutOfPlace, StepBusy, StepInterrupted
from carapulse.executions.events import StepTakenOver
from carapulse.executions.journal import Head
from carapulse.executions.lifecycle import Start
from carapulse.executions.looking import Looked, look
from carapulse.executions.messages import AdvanceExecution
from carapulse.executions.model import ExecutionState, Phase, Run, StepState, StepStatus
from carapulse.executions.performing import Ended, Performer
from carapulse.executions.ports import ExecutionPorts
from carapulse.executions.rechecking import Standpoint
from carapulse.executions.results import note_result
from carapulse.executions.watching import Watched
from carapulse.kernel.call import Call
from carapulse.kernel.errors import Problem
from carapulse.kernel.ids import new_id
from carapulse.observe import get_logger

log = get_logger(__name__)


def advance_execution(
    message: AdvanceExecution, call: Call, ports: ExecutionPorts, only: tuple[str, Phase] | None = None
) -> None:
    """Do what comes next in an execution for as long as there is something. Repeated, late or foreign: nothing.

    `only` names the one step, or undo, that this worker may start or take over, where somebody else hands out the
    others.
    """
    if ports.stopping.is_set():
        raise StepInterrupted("the program is to end", execution_id=message.execution_id)
    with ports.watch.over(message.execution_id, new_id("lease"), call) as watched:
        chain = _Chain(message.execution_id, call, ports, watched, time.monotonic() + ports.settings.turn_s, only)
        try:
            chain.run()
        except EventOutOfPlace as problem:
            log.info("step_overtaken", execution_id=message.execution_id, detail=problem.detail)
        finally:
            chain.let_go()


@dataclass
class _Chain:
    execution_id: str
    call: Call
    ports: ExecutionPorts
    watched: Watched
    until: float
    only: tuple[str, Phase] | None
    leased: bool = False
    looked: dict[Key, Looked | Problem] = field(default_factory=dict)
    mine: Key | None = None

    def run(self) -> None:
        """Take over what a lost worker was at, or start what may be started, and go on from there."""
        performer = Performer(self.watched, self.ports)
        self._read()
        attempt = self._take_over()
        ended = performer.recover(attempt, self.state) if attempt is not None else None
        attempt = self._carry_on(ended)
        if attempt is None and ended is None and self._is_another_at_it():
            raise StepBusy("another worker is at it", execution_id=self.execution_id)
        while attempt is not None:
            attempt = self._carry_on(performer.perform(attempt, self.state))

    def _is_another_at_it(self) -> bool:
        """Return whether another worker is at what this one came for."""
        if self.only is None:
            return self.state.is_at_work
        step_id, phase = self.only
        return self.state.step(step_id).part(phase).status is StepStatus.RUNNING

    def let_go(self) -> None:
        """Give the lease back, with the lines of a cut short attempt, unless another may be at it by now."""
        lines = self.watched.end()
        if lines and not self.watched.has_lapsed:
            with self.ports.begin(self.call) as work:
                work.executions.add_lines(self.execution_id, lines)
        if self.leased:
            self.ports.journal.end_lease(self.watched.lease, self.call)

    def _read(self) -> None:
        standing = self.ports.journal.read(self.execution_id, self.call)
        self.state: ExecutionState = standing.state
        self.head: Head = standing.head
        self.leases = standing.leases
        version = self.ports.versions.version_of(standing.state, self.call, self.ports)
        self.on = Standpoint(standing.state, version, standing.approval)

    def _take_over(self) -> Attempt | None:
        """Take over the first attempt whose worker's lease is gone; None if there is none."""
        while lost := self._lost():
            step, phase, part = lost[0]
            draft = Draft.of(self.state, self.head, self.ports.clock.now())
            fence = draft.state.fences + 1
            names = {"execution_id": self.execution_id, "step_id": step.facts.id, "phase": phase}
            draft.note(StepTakenOver(**names, fence=fence, lease=self.watched.lease))
            if self._write(draft, None, going_on=True):
                start = Start(step.facts.id, phase, part.attempts, None)
                looked = look(
                    self.state, self.on.version, step_of(self.on, step.facts.id), phase, self.call, self.ports
                )
                log.warning("step_taken_over", execution_id=self.execution_id, step_id=step.facts.id, phase=phase)
                return Beginner(self.watched, self.call, self.ports).attempt(self.on, start, looked, fence)
        return None

    def _lost(self) -> list[tuple[StepState, Phase, Run]]:
        lost = (each for each in self.state.running if each[2].lease not in self.leases)
        return [each for each in lost if self.only in {None, (each[0].facts.id, each[1])}]

    def _carry_on(self, ended: Ended | None) -> Attempt | None:
        """Write what came of an attempt, if there was one, with the intent of the next, and return that."""
        entered, beginner = ended is None, Beginner(self.watched, self.call, self.ports)
        while True:
            draft = Draft.of(self.state, self.head, self.ports.clock.now())
            if ended is not None:
                note_result(draft, ended, self.ports.blobs)
            attempt, pick = self._next(draft, beginner, entered=entered)
            if attempt is not None and attempt.phase == "run" and self.ports.clock.now() >= draft.state.deadline_at:
                continue  # it has passed while everybody was asked
            if draft.events and not self._write(draft, pick, going_on=pick is not None):
                continue
            if pick is None:
                self._leave(draft)
                return None
            if attempt is not None:
                return attempt
            ended, self.mine = None, key_of(pick)
            self.looked = {self.mine: beginner.look(self._standpoint(), pick)}

    def _next(self, draft: Draft, beginner: Beginner, *, entered: bool) -> tuple[Attempt | None, Start | None]:
        """Draft the next attempt. A start without an attempt has to be looked at first, which may take long."""
        draft.advance()
        while (pick := self._pick(draft, entered=entered)) is not None:
            on = Standpoint(draft.state, self.on.version, self.on.approval)
            looked = self.looked.get(key_of(pick))
            if looked is None:
                if beginner.needs_look(on, pick):
                    return None, pick
                looked = Looked(step_of(on, pick.step_id).input, draft.state.step(pick.step_id).captured)
            attempt = beginner.begin(draft, on, pick, looked)
            if attempt is not None:
                return attempt, pick
            draft.advance()
        return None, None

    def _pick(self, draft: Draft, *, entered: bool) -> Start | None:
        """Choose what this worker does next: what its message was for, or what its own result has made possible.

        And before it leaves, whatever may start: somebody else was told of that, but may have found this worker's own
        start and made that instead.
        """
        if self.ports.stopping.is_set():
            return None
        due = self._due(draft)
        if not entered:
            late = time.monotonic() > self.until
            fresh = set() if late else {key_of(start) for start in draft.fresh()}
            own = [start for start in due if key_of(start) in fresh or key_of(start) == self.mine]
            due = own if own or late else due
        return due[0] if due else None

    def _due(self, draft: Draft) -> list[Start]:
        due = (start for start in draft.starts if start.not_before is None or start.not_before <= draft.at)
        return [start for start in due if self.only is None or self.only == (start.step_id, start.phase)]

    def _leave(self, draft: Draft) -> None:
        """Let the message come again if something may start of which this worker has left no word."""
        if self._due(draft) and not draft.events:
            if self.ports.stopping.is_set():
                raise StepInterrupted("the program is to end", execution_id=self.execution_id)
            raise StepBusy("the worker's turn is over", execution_id=self.execution_id)

    def _write(self, draft: Draft, pick: Start | None, *, going_on: bool) -> bool:
        """Write a draft; if something else has happened meanwhile, read everything again and return False."""
        lease = (self.watched.lease, self.watched.lease_s) if going_on else None
        ends = self.watched.lease if self.leased and not going_on else None
        told = self._told(draft, pick)
        entry = draft.entry(told=told, lease=lease, ends=ends, is_first=not self.leased)
        written = self.ports.journal.write(entry, self.call)
        if written is None:
            self._read()
            return False
        if going_on:
            self.watched.hold(written.sent, is_new=not self.leased)
        self.leased = going_on
        self.state, self.head = draft.state, written.head
        return True

    def _told(self, draft: Draft, pick: Start | None) -> list[Start]:
        """Return of which starts somebody else is to be told: of what is fresh; and by one who leaves, of one at least.

        Whoever hands out steps sees for itself what may start.
        """
        if self.only is not None:
            return []
        fresh = [start for start in draft.fresh() if pick is None or key_of(start) != key_of(pick)]
        return fresh or ([] if pick is not None else self._due(draft)[:1])

    def _standpoint(self) -> Standpoint:
        return Standpoint(self.state, self.on.version, self.on.approval)
