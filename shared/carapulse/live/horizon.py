"""Up to where the log is complete.

A position is given before its transaction commits, so a reader can see 7 before 6. Every writer has its transaction's
number before it takes a position: it locks the head of its stream first. So of the positions that were given when one
looked, all are decided once every transaction has ended whose number is below one that was given after that look.
"""

from collections import deque
from dataclasses import dataclass, field

_MOST = 64


@dataclass
class Horizon:
    """What was seen of positions and transactions, and what follows from it."""

    settled: int | None = None
    _open: deque[tuple[int, int]] = field(default_factory=deque)

    def needs_mark(self, newest: int) -> bool:
        """Return whether positions were given that no mark covers yet."""
        marked = self._open[-1][0] if self._open else self.settled
        return (marked is None or newest > marked) and len(self._open) < _MOST

    def mark(self, newest: int, transaction: int) -> None:
        """Note a transaction's number that was given after a position was the newest."""
        self._open.append((newest, transaction))

    def settle(self, oldest: int) -> None:
        """Note that every transaction below a number has ended."""
        while self._open and self._open[0][1] <= oldest:
            self.settled = self._open.popleft()[0]

    @property
    def is_open(self) -> bool:
        """Return whether a mark waits for transactions to end."""
        return bool(self._open)
