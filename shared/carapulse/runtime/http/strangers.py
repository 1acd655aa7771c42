"""Those who could not say who they are, counted for each address in this process, so that guessing is slow."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from math import ceil
from typing import Any

from carapulse.rates.model import WINDOW_S, Share

_MOST = 10_000
_POLICY = "unauthenticated"


@dataclass
class Strangers:
    """Two small tables: failures by address, and proofs that held. What does not fit any more is forgotten.

    A proof that held before is never held up: others at the same address, say behind one proxy, can't shut anybody out.
    """

    most: int
    monotonic: Callable[[], float] = time.monotonic
    _failures: dict[str, tuple[int, float]] = field(default_factory=dict)
    _proofs: dict[bytes, None] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def refuse(self, address: str, proof: bytes) -> Share | None:
        """Return why a request is refused before anybody looks at its proof, or None."""
        now = self.monotonic()
        with self._lock:
            count, ends = self._failures.get(address, (0, 0.0))
            if count < self.most or now >= ends or proof in self._proofs:
                return None
        return Share(_POLICY, self.most, 0, max(1, ceil(ends - now)))

    def trust(self, proof: bytes) -> None:
        """Note a proof that held."""
        with self._lock:
            self._proofs.pop(proof, None)
            self._proofs[proof] = None
            _forget(self._proofs)

    def suspect(self, address: str, proof: bytes) -> None:
        """Note somebody who could not say who they are."""
        now = self.monotonic()
        with self._lock:
            self._proofs.pop(proof, None)
            count, ends = self._failures.pop(address, (0, 0.0))
            self._failures[address] = (count + 1, ends) if now < ends else (1, now + WINDOW_S)
            _forget(self._failures)


def _forget(table: dict[Any, Any]) -> None:
    if len(table) > _MOST:
        del table[next(iter(table))]
