"""What can be done with the log: cover it with checkpoints, read it, and take a plan's evidence out of it."""

from collections.abc import Sequence

from carapulse.audit.archives import PlacedEntry
from carapulse.audit.archiving import read_archived
from carapulse.audit.bundle import bundle
from carapulse.audit.checkpoints import Checkpoint
from carapulse.audit.errors import EvidencePending, NoSuchCheckpoint
from carapulse.audit.model import EventFilter, EvidenceExported, SealedEntry
from carapulse.audit.ports import AuditPorts
from carapulse.kernel.call import Call
from carapulse.kernel.cursor import Page

_TRIES = 50


def make_checkpoint(call: Call, ports: AuditPorts) -> Checkpoint | None:
    """Cover every event of every tenant that no checkpoint covers yet; None if there is none.

    Events of transactions that began before one that is still open wait for the next checkpoint.
    """
    with ports.begin(call) as work:
        work.evidence.lock_checkpoints()
        fresh = work.evidence.fresh()
        if not fresh.hashes:
            return None
        last = work.evidence.last_checkpoint()
        checkpoint = Checkpoint.over(fresh.hashes, last, ports.clock.now(), ports.evidence_key)
        work.evidence.add_checkpoint(checkpoint, fresh)
    return checkpoint


def export_bundle(plan_id: str, call: Call, ports: AuditPorts) -> bytes:
    """Return the evidence of a plan up to now as one signed file, and record that it was taken.

    A checkpoint is made first, so that every event is covered. Raises EvidencePending if older transactions stay open.
    """
    with ports.begin(call) as work:
        head = work.evidence.head(plan_id)
    archived: Sequence[PlacedEntry] = ()
    looked_before = 1
    for _ in range(_TRIES):
        make_checkpoint(call, ports)
        with ports.begin(call) as work:
            first = work.evidence.first(head)
            evidence = work.evidence.evidence(head, archived) if first == looked_before else None
            if evidence is not None:
                content = bundle(evidence, ports.evidence_key)
                work.record(f"evidence_of_{plan_id}", EvidenceExported.of(head))
                return content
            work.evidence.wait_a_moment()
        if first != looked_before:
            archived, looked_before = read_archived(head.stream, first, call, ports), first
    raise EvidencePending("older transactions are still open; ask again", plan_id=plan_id)


def list_events(wanted: EventFilter, call: Call, ports: AuditPorts) -> Page[SealedEntry]:
    """Return events of the caller's tenant, the newest first."""
    with ports.begin(call) as work:
        return work.evidence.page(wanted)


def latest_checkpoint(call: Call, ports: AuditPorts) -> Checkpoint:
    """Return the newest checkpoint, for whoever keeps one elsewhere; raises NoSuchCheckpoint before the first."""
    with ports.begin(call) as work:
        checkpoint = work.evidence.last_checkpoint()
    if checkpoint is None:
        raise NoSuchCheckpoint("no checkpoint was made yet")
    return checkpoint


def verifier_keys(ports: AuditPorts) -> str:
    """Return the key that signs now and those that signed before, one a line, the newest first."""
    return "".join(f"{key}\n" for key in (ports.evidence_key.key, *ports.former_evidence_keys))
