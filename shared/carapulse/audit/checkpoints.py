"""Checkpoints: signed statements that these events, and no others since the last checkpoint, are in the log. Pure."""

import base64
from collections.abc import Sequence
from datetime import datetime
from hashlib import sha256
from typing import Self

from pydantic import AwareDatetime, Field

from carapulse.audit.chain import moment
from carapulse.audit.merkle import MerkleTree
from carapulse.audit.note import EvidenceKey
from carapulse.kernel.record import Record

FIRST = "none"


class Checkpoint(Record):
    """The Merkle root over the events since the last checkpoint, chained to it, and signed.

    Its text has the shape of c2sp.org/tlog-checkpoint with three extension lines; but each checkpoint has a tree of its
    own, so that making one costs what is new and not what is old.
    """

    number: int = Field(ge=1)
    size: int = Field(ge=1, description="how many events it covers")
    root: str = Field(description="base64 of the Merkle root over their hashes, in the order of the log")
    previous: str = Field(description="the hash of the checkpoint before it, or `none`")
    at: AwareDatetime
    note: str = Field(description="the signed text")

    @property
    def hash(self) -> str:
        """What the next checkpoint names: `sha256:` and the hex SHA-256 of the text that is signed."""
        text, _, _ = self.note.rpartition("\n\n")
        return "sha256:" + sha256(f"{text}\n".encode()).hexdigest()

    @classmethod
    def over(cls, hashes: Sequence[str], last: Self | None, at: datetime, signer: EvidenceKey) -> Self:
        """Make the checkpoint that follows the last one."""
        root = base64.b64encode(tree_over(hashes).root).decode()
        number, previous = (last.number + 1, last.hash) if last else (1, FIRST)
        lines = (signer.key.name, len(hashes), root, f"number {number}", f"previous {previous}", f"time {moment(at)}")
        note = signer.note("".join(f"{line}\n" for line in lines))
        return cls(number=number, size=len(hashes), root=root, previous=previous, at=at, note=note)


def tree_over(hashes: Sequence[str]) -> MerkleTree:
    """Build the tree over event hashes; a leaf is the 32 bytes that follow `sha256:`."""
    return MerkleTree.over([bytes.fromhex(one.removeprefix("sha256:")) for one in hashes])
