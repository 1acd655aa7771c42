"""One run of one collector: it takes the lease, reads, and reports all that it saw in one write, or says why not.

At least once is enough: a message that comes twice finds that the run is under way or made. Before each read the lease
is renewed, and the report is written only by whoever still has it, on the terms that it read by.
"""

from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from carapulse.collection.drawing import Picture, draw
from carapulse.collection.errors import CollectionInterrupted, CollectorBusy
from carapulse.collection.events import CollectionFailed, CollectionRecovered
from carapulse.collection.messages import RunCollector
from carapulse.collection.model import Collector, Failure, Lease, Progress
from carapulse.collection.ports import CollectionPorts, CollectionWork, Kept
from carapulse.collection.reading import Ask, Reader
from carapulse.context.errors import ContextInvalid, ContextTooLarge
from carapulse.context.model import RefreshContext
from carapulse.context.usecases import report_news
from carapulse.identity.permissions import require
from carapulse.kernel.call import Call
from carapulse.kernel.errors import Problem
from carapulse.kernel.ids import new_id
from carapulse.observe import get_logger
from carapulse.redaction import redacted_text

log = get_logger(__name__)
_MARGIN_S = 30.0  # for what is done beside a read, and for clocks that don't agree


def run_collector(message: RunCollector, call: Call, ports: CollectionPorts) -> None:
    """Ask a system what there is and report it. Repeated, late or overtaken: nothing; while another is at it: busy."""
    run = _begun(message, call, ports)
    if run is None:
        return
    with run.given_back_if_interrupted():
        seen = run.seen()
        if seen is not None:
            run.end(seen)


def give_run_up(message: RunCollector, reason: str, call: Call, ports: CollectionPorts) -> None:
    """Say that a run will not be made although it was asked for: every worker that began it was lost."""
    failure = Failure(code="collection-given-up", detail="no worker came to the end of it", said=redacted_text(reason))
    with ports.begin(call) as work:
        kept = work.collectors.lock(message.name)
        if kept is None or not kept.progress.awaits(message.run_id):
            return
        _note_failure(kept, message.run_id, failure, work)


def _note_failure(kept: Kept, run_id: str, failure: Failure, work: CollectionWork) -> None:
    work.collectors.replace(kept._replace(progress=kept.progress.failed(run_id, work.now(), failure)))
    if not failure.is_like(kept.progress.failure):
        work.record(kept.collector.id, CollectionFailed.of(kept.collector, run_id, failure))


def _begun(message: RunCollector, call: Call, ports: CollectionPorts) -> "_Run | None":
    """Take the lease; None if there is nothing to do, CollectorBusy if somebody else has it."""
    with ports.begin(call) as work:
        kept, at = work.collectors.lock(message.name), work.now()
        if kept is None or not kept.collector.enabled or not kept.progress.awaits(message.run_id):
            return None
        if kept.progress.is_taken(at):
            raise CollectorBusy("another worker is at this collector", name=message.name)
        lease = Lease(id=new_id("lease"), until=at + timedelta(seconds=_MARGIN_S))
        work.collectors.replace(kept._replace(progress=kept.progress.taken(lease, at)))
    own = call.model_copy(update={"actor": kept.collector.actor})
    require(own, "context:write")
    return _Run(message.run_id, kept.collector, lease.id, own, ports)


@dataclass(frozen=True, slots=True)
class _Run:
    """A run whose lease is taken."""

    run_id: str
    collector: Collector
    lease: str
    call: Call
    ports: CollectionPorts

    def seen(self) -> Picture | Failure | None:
        """Return everything that there is, or why it could not be seen; None if the run was overtaken meanwhile."""
        definition = self.ports.definitions.by_system.get(self.collector.system)
        if definition is None:
            detail = "no collector that comes with this program asks this system"
            return Failure(code="collector-invalid", detail=detail)
        reader = Reader(definition, self.collector, self.call, self.ports)
        answers: dict[str, list[Any]] = defaultdict(list)
        try:
            place, asks = reader.place(), list(reader.asks())
        except Problem as problem:
            return Failure.of(problem)
        for ask in asks:
            answer = self._answered(reader, ask)
            if answer is None or isinstance(answer, Failure):
                return answer
            answers[ask.name].append(answer)
        try:
            return draw(
                definition, {**reader.known, "place": place}, {name: answers[name] for name in definition.reads}
            )
        except Problem as problem:
            return Failure.of(problem)

    def _answered(self, reader: Reader, ask: Ask) -> Any:  # noqa: ANN401 - any JSON value
        """Return the answer of a read, or why there is none after so many tries; None if the run was overtaken."""
        answer: Any = None
        for attempt in range(ask.retries.attempts):
            pause_s = min(ask.retries.backoff_s * 2**attempt, ask.retries.max_backoff_s)
            if not self._renewed(ask.timeout_s + pause_s):
                return None
            answer = reader.answer(ask)
            if not isinstance(answer, Failure) or not answer.passes:
                return answer
            if attempt + 1 < ask.retries.attempts and self.ports.stopping.wait(pause_s):
                raise CollectionInterrupted("the program is to end", name=self.collector.name)
        return answer

    def _renewed(self, seconds: float) -> bool:
        """Hold the lease for so long and a margin; False if it is not ours any more."""
        with self._mine() as (kept, work):
            if kept is None:
                return False
            until = work.now() + timedelta(seconds=seconds + _MARGIN_S)
            held = kept.progress.held(Lease(id=self.lease, until=until))
            work.collectors.replace(kept._replace(progress=held))
        return True

    def end(self, seen: Picture | Failure) -> None:
        """Report what was seen; what the context can't hold is a failure, too."""
        if isinstance(seen, Picture):
            try:
                return self._report(seen)
            except (ContextInvalid, ContextTooLarge) as problem:
                first = next(iter(problem.faults), None)
                seen = Failure.of(problem, said=None if first is None else f"{first.pointer}: {first.detail}")
        return self._fail(seen)

    def _report(self, picture: Picture) -> None:
        asked = RefreshContext(source=self.collector.name, complete=True, nodes=picture.nodes, edges=picture.edges)
        with self._mine() as (kept, work):
            if kept is None:
                return
            news = report_news(asked, self.call, work)
            after = kept.progress.succeeded(
                self.run_id,
                work.now(),
                nodes=len(picture.nodes),
                edges=len(picture.edges),
                snapshot_id=None if news is None else news.snapshot.id,
            )
            work.collectors.replace(kept._replace(progress=after))
            if kept.progress.failure is not None:
                work.record(self.collector.id, CollectionRecovered.of(self.collector, self.run_id))
        log.info("collected", name=self.collector.name, nodes=len(picture.nodes), news=news is not None)

    def _fail(self, failure: Failure) -> None:
        with self._mine() as (kept, work):
            if kept is None:
                return
            _note_failure(kept, self.run_id, failure, work)
        log.warning("collection_failed", name=self.collector.name, code=failure.code, read=failure.read)

    @contextmanager
    def given_back_if_interrupted(self) -> Iterator[None]:
        """Let go of the lease when the program ends, so that whoever gets the message next need not wait."""
        try:
            yield
        except CollectionInterrupted:
            with self._mine() as (kept, work):
                if kept is not None:
                    work.collectors.replace(kept._replace(progress=kept.progress.let_go()))
            raise

    @contextmanager
    def _mine(self) -> Iterator[tuple[Kept | None, CollectionWork]]:
        """Open a unit of work with the collector locked; None if it was changed, deleted or taken over meanwhile."""
        with self.ports.begin(self.call) as work:
            kept = work.collectors.lock(self.collector.name)
            if kept is not None and not self._is_mine(kept.progress):
                log.info("collection_overtaken", name=self.collector.name)
                kept = None
            yield kept, work

    def _is_mine(self, progress: Progress) -> bool:
        return progress.lease is not None and progress.lease.id == self.lease
