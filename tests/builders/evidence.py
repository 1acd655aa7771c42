"""Builders: a log of two tenants' streams, checkpoints over it, and the bundle of one plan."""

import base64
import json
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any

from carapulse.audit.bundle import CoveredEvent, Evidence, bundle
from carapulse.audit.chain import envelope, hash_of
from carapulse.audit.checkpoints import Checkpoint
from carapulse.audit.model import Entry, SealedEntry
from carapulse.audit.note import EvidenceKey, Signer
from carapulse.audit.verifier import Report
from carapulse.kernel.canonical import canonical

SIGNER = Signer.parse("PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz")
KEY = str(SIGNER.key)
DIGEST = "a" * 64
START = datetime(2026, 3, 1, 12, tzinfo=UTC)


def seal(entry: Entry) -> SealedEntry:
    """Return the entry with its hash."""
    return SealedEntry(**dict(entry), hash=hash_of(envelope(entry)))


def a_stream(stream: str, length: int, tenant: str = "acme") -> list[SealedEntry]:
    """Return a chained stream whose first event names the plan's digest."""
    entries: list[SealedEntry] = []
    for seq in range(1, length + 1):
        entry = Entry(
            tenant=tenant,
            stream=stream,
            seq=seq,
            id=f"event_{stream}_{seq}",
            type="PlanDrafted" if seq == 1 else "StepFinished",
            at=START + timedelta(seconds=seq),
            actor="ada",
            trace="0" * 32,
            body={"digest": f"sha256:{DIGEST}", "ä": "é\n€ 😀", "n": [1, 0.5, None]},
            prev=entries[-1].hash if entries else "",
        )
        entries.append(seal(entry))
    return entries


def some_evidence(
    length: int = 6, stream: str = "plan_1", signers: Sequence[EvidenceKey] = (SIGNER, SIGNER)
) -> Evidence:
    """Return a plan's evidence: its events lie among another's, two plan events to a checkpoint, and one follows.

    The first signer signs the first checkpoint, and so on; the last one also all that follow.
    """
    own, other = a_stream(stream, length), a_stream("plan_of_another", length + 3, tenant="other")
    log = [event for pair in zip(own, other, strict=False) for event in pair] + other[length:]
    checkpoints: list[Checkpoint] = []
    leaves: dict[int, tuple[str, ...]] = {}
    for start in range(0, len(log), 4):
        hashes = tuple(event.hash for event in log[start : start + 4])
        last = checkpoints[-1] if checkpoints else None
        signer = signers[min(len(checkpoints), len(signers) - 1)]
        checkpoints.append(Checkpoint.over(hashes, last, START + timedelta(minutes=start), signer))
        leaves[checkpoints[-1].number] = hashes
    covered = [
        CoveredEvent(event=event, checkpoint=number, leaf=hashes.index(event.hash))
        for event in own
        for number, hashes in leaves.items()
        if event.hash in hashes
    ]
    return Evidence(
        tenant="acme",
        stream=stream,
        count=length,
        head=own[-1].hash,
        events=tuple(covered),
        leaves={one.checkpoint: leaves[one.checkpoint] for one in covered},
        checkpoints=tuple(checkpoints),
    )


def a_bundle(length: int = 6, stream: str = "plan_1") -> bytes:
    """Return a bundle in which everything holds."""
    return bundle(some_evidence(length, stream), SIGNER)


def opened(content: bytes) -> dict[str, Any]:
    """Return the statement inside a bundle."""
    statement: dict[str, Any] = json.loads(base64.b64decode(json.loads(content)["payload"]))
    return statement


def forged(content: bytes, change: Callable[[dict[str, Any]], object], *, signed: bool = False) -> bytes:
    """Return the bundle with its statement changed; the old signature stays unless it is signed anew."""
    envelope, statement = json.loads(content), opened(content)
    change(statement)
    payload = json.dumps(statement).encode()
    if signed:
        return SIGNER.envelope(envelope["payloadType"], payload)
    return canonical(envelope | {"payload": base64.b64encode(payload).decode()})


def events_of(statement: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the rows of a statement, to be changed."""
    events: list[dict[str, Any]] = statement["predicate"]["events"]
    return events


def first_named(report: Report) -> tuple[str, int | None]:
    """Return reason and place of the first fault that names an event."""
    fault = next(fault for fault in report.faults if fault.index is not None)
    return fault.reason, fault.index


def hash_of_text(text: str) -> str:
    """Return what the log would hold as the hash of this text."""
    return "sha256:" + sha256(text.encode()).hexdigest()
