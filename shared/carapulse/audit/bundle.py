"""The bundle: one file that proves what happened to a plan to anybody who has the installation's verifier key. Pure."""

import base64
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any

from pydantic import Field

from carapulse.audit.chain import envelope
from carapulse.audit.checkpoints import Checkpoint, tree_over
from carapulse.audit.errors import NoSuchEvidence
from carapulse.audit.merkle import MerkleTree
from carapulse.audit.model import SealedEntry
from carapulse.audit.note import EvidenceKey
from carapulse.audit.verifier import PAYLOAD_TYPE, PREDICATE_TYPE, STATEMENT_TYPE, plan_digest
from carapulse.kernel.canonical import canonical
from carapulse.kernel.record import Record


class CoveredEvent(Record):
    """An event, and where a checkpoint covers it."""

    event: SealedEntry
    checkpoint: int
    leaf: int


class Evidence(Record):
    """Everything the log knows about one stream."""

    tenant: str
    stream: str
    count: int = Field(description="how many events the stream has, counted when they were written")
    head: str = Field(description="the hash of the last one, kept when it was written")
    events: tuple[CoveredEvent, ...]
    leaves: Mapping[int, tuple[str, ...]] = Field(description="by checkpoint: the hashes it covers, in order")
    checkpoints: tuple[Checkpoint, ...] = Field(description="from the first that covers an event to the last that does")

    @cached_property
    def trees(self) -> dict[int, MerkleTree]:
        """The tree of each checkpoint that covers an event."""
        return {number: tree_over(hashes) for number, hashes in self.leaves.items()}


def bundle(evidence: Evidence, signer: EvidenceKey) -> bytes:
    """Return the evidence as an in-toto Statement in a DSSE envelope, signed.

    What the log holds is written as it is, so that a bundle of a log that was tampered with says where.
    """
    digest = plan_digest([envelope(covered.event) for covered in evidence.events])
    if digest is None:
        raise NoSuchEvidence("no event names the digest of this plan", plan_id=evidence.stream)
    statement = {
        "_type": STATEMENT_TYPE,
        "subject": [{"name": evidence.stream, "digest": {"sha256": digest}}],
        "predicateType": PREDICATE_TYPE,
        "predicate": {
            "plan_id": evidence.stream,
            "tenant": evidence.tenant,
            "count": evidence.count,
            "head": evidence.head,
            "events": _rows(evidence),
            "checkpoints": [checkpoint.note for checkpoint in evidence.checkpoints],
        },
    }
    return signer.envelope(PAYLOAD_TYPE, canonical(statement))


def _rows(evidence: Evidence) -> Sequence[dict[str, Any]]:
    rows = []
    for covered in evidence.events:
        proof = evidence.trees[covered.checkpoint].proof(covered.leaf)
        rows.append(
            {
                "event": canonical(envelope(covered.event)).decode(),
                "hash": covered.event.hash,
                "checkpoint": covered.checkpoint,
                "leaf": covered.leaf,
                "proof": [base64.b64encode(node).decode() for node in proof],
            }
        )
    return rows
