"""What can be asked of collectors. One function is one thing that an operator can ask for."""

from carapulse.collection.errors import CollectorDisabled, CollectorInvalid, CollectorNotFound
from carapulse.collection.events import CollectionAsked, CollectorDeleted, CollectorPut
from carapulse.collection.messages import RunCollector
from carapulse.collection.model import Collector, CollectorTerms, Progress
from carapulse.collection.ports import CollectionPorts, CollectionWork, CollectorFilter, Kept
from carapulse.collection.views import CollectorView, PutCollector
from carapulse.context.model import RefreshContext
from carapulse.context.usecases import report_news
from carapulse.kernel.call import Call
from carapulse.kernel.cursor import Page
from carapulse.kernel.errors import Fault
from carapulse.kernel.ids import new_id
from carapulse.kernel.precondition import WHICHEVER, Match


def put_collector(
    name: str, terms: CollectorTerms, call: Call, ports: CollectionPorts, seen: Match = WHICHEVER
) -> PutCollector:
    """Make a collector, or have one ask otherwise; the same again changes nothing. It is due at once."""
    check_terms(terms, ports)
    with ports.begin(call) as work:
        known = work.collectors.lock(name)
        seen.check(None if known is None else known.collector)
        if known is not None and known.collector.terms == terms:
            return PutCollector(collector=CollectorView.of_kept(known, call.at), created=False)
        kept = _kept(name, terms, call, known)
        (work.collectors.add if known is None else work.collectors.replace)(kept)
        work.record(kept.collector.id, CollectorPut.of(kept.collector))
    return PutCollector(collector=CollectorView.of_kept(kept, call.at), created=known is None)


def list_collectors(wanted: CollectorFilter, call: Call, ports: CollectionPorts) -> Page[CollectorView]:
    """Return collectors, by name."""
    with ports.begin(call) as work:
        page = work.collectors.page(wanted)
    return Page(data=tuple(CollectorView.of_kept(each, call.at) for each in page.data), next_cursor=page.next_cursor)


def get_collector(name: str, call: Call, ports: CollectionPorts) -> CollectorView:
    """Return one collector, and how its runs go."""
    with ports.begin(call) as work:
        return CollectorView.of_kept(_there(name, work.collectors.named(name)), call.at)


def ask_for_run(name: str, call: Call, ports: CollectionPorts) -> CollectorView:
    """Have a collector run as soon as a worker is free; when it is due is as before."""
    with ports.begin(call) as work:
        kept = _there(name, work.collectors.lock(name))
        if not kept.collector.enabled:
            raise CollectorDisabled("the collector is switched off", name=name)
        asked = send_run(kept, work)
        work.record(asked.collector.id, CollectionAsked.of(asked.collector, str(asked.progress.run_id)))
    return CollectorView.of_kept(asked, call.at)


def delete_collector(name: str, call: Call, ports: CollectionPorts, seen: Match = WHICHEVER) -> None:
    """Forget a collector, and take back what it said: nobody would ever say that any of it is gone."""
    with ports.begin(call) as work:
        collector = _there(name, work.collectors.lock(name)).collector
        seen.check(collector)
        work.collectors.delete(name)
        report_news(RefreshContext(source=name, complete=True), call, work)
        work.record(collector.id, CollectorDeleted.of(collector))


def send_run(kept: Kept, work: CollectionWork) -> Kept:
    """Ask for a run, in the same write; whoever asked for one before that has not begun is answered by this one."""
    run_id = new_id("run")
    asked = kept._replace(progress=kept.progress.asked(run_id))
    work.collectors.replace(asked)
    work.send(RunCollector(name=kept.collector.name, run_id=run_id))
    return asked


def check_terms(terms: CollectorTerms, ports: CollectionPorts) -> None:
    """Raise CollectorInvalid, with every fault, for terms under which nothing could ever be read."""
    definition = ports.definitions.by_system.get(terms.system)
    if definition is None:
        known = ", ".join(sorted(ports.definitions.by_system))
        fault = Fault(pointer="/system", code="unknown-system", detail=f"there are collectors for {known}")
        raise CollectorInvalid("no collector asks this system", faults=(fault,))
    faults = [
        Fault(pointer=f"/context/{name}", code="missing", detail="the ids of what there is begin with it")
        for name in definition.needs
        if getattr(terms.context, name) is None
    ]
    faults += ports.definitions.schemas[terms.system].faults(terms.input, "/input")
    if faults:
        raise CollectorInvalid("the collector could never run", faults=tuple(faults))


def _kept(name: str, terms: CollectorTerms, call: Call, known: Kept | None) -> Kept:
    """Return a collector on other terms. A run that is under way loses its lease, and so reports nothing."""
    due = call.at if terms.enabled else None
    if known is None:
        return Kept(Collector.of(name, terms, call), Progress(), due)
    return Kept(known.collector.changed(terms, call), known.progress.let_go(), due)


def _there(name: str, kept: Kept | None) -> Kept:
    if kept is None:
        raise CollectorNotFound("no such collector", name=name)
    return kept
