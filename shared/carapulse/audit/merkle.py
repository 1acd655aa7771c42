"""Merkle trees (RFC 6962 section 2.1): one root stands for many hashes, and a proof shows that one is among them.

Pure. `carapulse.audit.verifier.includes` checks a proof.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Self

Level = tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class MerkleTree:
    """A tree over leaves in their order. `levels` goes from the leaves' hashes up to the root."""

    levels: tuple[Level, ...]

    @classmethod
    def over(cls, leaves: Sequence[bytes]) -> Self:
        """Build the tree; the root of no leaves is the hash of nothing."""
        if not leaves:
            return cls(((sha256(b"").digest(),),))
        levels: list[Level] = [tuple(sha256(b"\x00" + leaf).digest() for leaf in leaves)]
        while len(levels[-1]) > 1:
            levels.append(_above(levels[-1]))
        return cls(tuple(levels))

    @property
    def root(self) -> bytes:
        """The 32 bytes that stand for all leaves."""
        return self.levels[-1][0]

    def proof(self, index: int) -> tuple[bytes, ...]:
        """Return the nodes beside the way from one leaf to the root, lowest first."""
        siblings = ((level, (index >> height) ^ 1) for height, level in enumerate(self.levels[:-1]))
        return tuple(level[sibling] for level, sibling in siblings if sibling < len(level))


def _above(level: Level) -> Level:
    """Hash neighbours together; a last one without a neighbour rises as it is, which is RFC 6962's split."""
    pairs = (sha256(b"\x01" + left + right).digest() for left, right in zip(level[::2], level[1::2], strict=False))
    return (*pairs, *level[len(level) & ~1 :])
