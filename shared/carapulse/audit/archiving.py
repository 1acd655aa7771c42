"""Moving old events out of the log into blobs, and finding them there again."""

from collections.abc import Sequence
from datetime import datetime

from carapulse.audit.archives import STREAM, Archive, EventsArchived, PlacedEntry, Stretch, packed, unpacked
from carapulse.audit.errors import ArchiveMissing
from carapulse.audit.ports import AuditPorts
from carapulse.kernel.blobs import NoSuchBlob
from carapulse.kernel.call import Call
from carapulse.observe import get_logger

log = get_logger(__name__)
_CHUNK = 50_000


def archive_events(before: datetime, call: Call, ports: AuditPorts) -> bool:
    """Let the oldest stretch of the log go, if all of it may; False if not. Repeated after a crash, it goes on.

    Each tenant's events are read within its own wall, kept as blobs and read back; only then does the database let go.
    """
    with ports.begin(call) as work:
        stretch = work.archives.may_go(before)
    if stretch is None:
        return False
    for tenant in stretch.tenants:
        while _archive_some(stretch, call.model_copy(update={"tenant": tenant}), ports):
            pass
    with ports.begin(call) as work:
        work.archives.drop(stretch, before)
    log.info("events_left_the_log", low=stretch.low, high=stretch.high)
    return True


def read_archived(stream: str, before: int, call: Call, ports: AuditPorts) -> Sequence[PlacedEntry]:
    """Return the events of a stream that left the log, up to a number, in order.

    Archives are read from the newest back to the one with the stream's first event. Raises ArchiveMissing.
    """
    with ports.begin(call) as work:
        archives = work.archives.newest_first()
    found: dict[int, PlacedEntry] = {}
    for archive in archives:
        try:
            content = ports.archive_blobs.get(archive.digest)
        except NoSuchBlob as error:
            raise ArchiveMissing("an archive of events is not there", digest=archive.digest) from error
        found |= {each.event.seq: each for each in unpacked(content, stream) if each.event.seq < before}
        if 1 in found:
            break
    return [found[seq] for seq in sorted(found)]


def _archive_some(stretch: Stretch, call: Call, ports: AuditPorts) -> int:
    with ports.begin(call) as work:
        entries = work.archives.next_of(stretch, _CHUNK)
    if entries:
        digest = ports.archive_blobs.put(packed(entries))
        ports.archive_blobs.get(digest)  # what the log is about to forget was read back once
        with ports.begin(call) as work:
            archive = Archive.of(entries, digest, ports.clock.now())
            work.archives.add(archive)
            work.record(STREAM, EventsArchived.of(archive))
    return len(entries)
