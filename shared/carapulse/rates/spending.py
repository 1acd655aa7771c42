"""Letting requests through out of small loans, so that a request usually asks nobody and the sum never is too large.

A process borrows a few requests at a time, twice as many each time up to a tenth of the limit, and what it has not let
through when the window ends is gone. So no more than the limit is ever let through by all processes together, and what
one of them holds unused is at most what it has let through already.
"""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from math import ceil

from carapulse.kernel.errors import Unavailable
from carapulse.rates.model import Claim, Grant, Key, Quotas, Share, Spender, Standing
from carapulse.rates.ports import Lender

_MOST_LOANS = 10_000
_FIRST_PART, _LARGEST_PART = 100, 10
_PAUSE_S = 1.0  # after a failure nobody is kept waiting for the next one


@dataclass(slots=True)
class _Loan:
    """What one process may still let through in a window, and what is left for all after its last claim."""

    most: int
    slot: int
    ends: float
    left: int
    unclaimed: int
    claimed: int

    @property
    def is_last(self) -> bool:
        return self.left == 0 and self.unclaimed == 0

    def share(self, key: Key, now: float) -> Share:
        return Share(key.policy, self.most, self.left + self.unclaimed, max(1, ceil(self.ends - now)))


@dataclass
class Rates:
    """The loans of this process. It may be asked from any thread."""

    lender: Lender
    quotas: Quotas
    monotonic: Callable[[], float] = time.monotonic
    _loans: dict[Key, _Loan] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _turn: threading.Lock = field(default_factory=threading.Lock)
    _failed_at: float | None = None

    def spend(self, spender: Spender) -> Standing | None:
        """Count a request, or return that it is refused; None if something must be borrowed first. Never waits."""
        keys, now = list(spender.keys(self.quotas)), self.monotonic()
        with self._lock:
            loans = [self._loan_of(key, now) for key, _ in keys]
            for (key, _), loan in zip(keys, loans, strict=True):
                if loan is not None and loan.is_last:
                    return Standing((loan.share(key, now),), loan.share(key, now))
            held = [loan for loan in loans if loan is not None and loan.left]
            if len(held) < len(keys):
                return None
            for loan in held:
                loan.left -= 1
            return Standing(tuple(loan.share(key, now) for (key, _), loan in zip(keys, held, strict=True)))

    def borrow(self, spender: Spender) -> Standing:
        """Count a request with what can be borrowed; Unavailable if nobody can say whether it may be.

        One at a time: whoever waited finds what the one before has borrowed.
        """
        with self._turn:
            while True:
                standing = self.spend(spender)
                if standing is not None:
                    return standing
                if self._failed_at is not None and self.monotonic() < self._failed_at + _PAUSE_S:
                    raise Unavailable("the limits can't be asked now")
                if not self._borrow(spender):
                    return Standing()

    def _borrow(self, spender: Spender) -> bool:
        claims, started = self._claims(spender), self.monotonic()
        try:
            grants = self.lender.take(claims)
        except Unavailable:
            self._failed_at = self.monotonic()
            raise
        if not grants:
            return False
        with self._lock:
            for claim, grant in zip(claims, grants, strict=True):
                self._note(claim, grant, started)
        return True

    def _claims(self, spender: Spender) -> list[Claim]:
        now = self.monotonic()
        with self._lock:
            loans = [(key, most, self._loan_of(key, now)) for key, most in spender.keys(self.quotas)]
        return [Claim(key, _next(most, loan), most) for key, most, loan in loans if loan is None or loan.left == 0]

    def _note(self, claim: Claim, grant: Grant, started: float) -> None:
        former = self._loans.pop(claim.key, None)
        kept = former.left if former is not None and former.slot == grant.slot else 0
        self._loans[claim.key] = _Loan(
            most=claim.most,
            slot=grant.slot,
            ends=started + grant.left_s,
            left=kept + grant.granted,
            unclaimed=max(0, claim.most - grant.taken),
            claimed=claim.wanted,
        )
        while len(self._loans) > _MOST_LOANS:
            del self._loans[next(iter(self._loans))]

    def _loan_of(self, key: Key, now: float) -> _Loan | None:
        loan = self._loans.get(key)
        return loan if loan is not None and now < loan.ends else None


def _next(most: int, loan: _Loan | None) -> int:
    first, largest = max(1, most // _FIRST_PART), max(1, most // _LARGEST_PART)
    return first if loan is None else min(largest, loan.claimed * 2)
