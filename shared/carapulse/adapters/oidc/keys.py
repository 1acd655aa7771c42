"""An issuer's keys, fetched when they are needed, and kept for as long as they may be."""

import math
import random
import threading
from dataclasses import dataclass
from functools import partial
from typing import Final

from joserfc.jwk import Key

from carapulse.adapters.oidc.publication import Publication, Published
from carapulse.identity.errors import IssuerUnavailable, TokenRefused
from carapulse.identity.ports import Fetch
from carapulse.kernel.clock import Clock
from carapulse.observe import get_logger

OLDEST_S: Final = 86_400.0
"""How old keys may be when their issuer does not answer."""

BETWEEN_STRANGERS_S: Final = 30.0
"""Whoever makes up names of keys makes us ask the issuer this often and not more."""

_FIRST_PAUSE_S: Final = 1.0
_LONGEST_PAUSE_S: Final = 60.0

log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class _Kept:
    published: Published
    since: float

    def has(self, kid: str | None) -> bool:
        return kid is None or any(each.kid == kid for each in self.published.keys)

    def find(self, kid: str | None, algorithm: str) -> Key | None:
        """Return the key of this name; a token that names none may only mean the only one."""
        fitting = [each for each in self.published.keys if algorithm in each.algorithms]
        named = [each for each in fitting if each.kid == kid] if kid is not None else fitting
        return named[0].key if named and (kid is not None or len(named) == 1) else None


class FetchedKeys:
    """The keys of one issuer. Threads may share it: one of them fetches, the others wait or take what is kept."""

    def __init__(self, publication: Publication, clock: Clock) -> None:
        self._publication = publication
        self._clock = clock
        self._turn = threading.Lock()
        self._kept: _Kept | None = None
        self._failures = 0
        self._rests_until = 0.0
        self._stranger_at = -math.inf

    def wanted(self, kid: str | None) -> Fetch | None:
        """Return what has to be fetched before a token that names this key is judged, or None. Never blocks."""
        if not self._is_due(kid) or (self._turn.locked() and self._is_at_hand(kid)):
            return None
        return Fetch(self._publication.issuer.issuer, partial(self._fetch, kid))

    def at_hand(self, kid: str | None, algorithm: str) -> Key:
        """Return the key of this name. TokenRefused if there is none, IssuerUnavailable if that can't be known now."""
        kept = self._usable()
        key = kept.find(kid, algorithm) if kept is not None else None
        if key is not None:
            return key
        if kept is None or (self._failures and not kept.has(kid)):
            raise IssuerUnavailable("the issuer of the token does not answer", retry_after=self._rest())
        raise TokenRefused("the token was not accepted")

    def _is_due(self, kid: str | None) -> bool:
        now, kept = self._now(), self._kept
        if 0 < self._rests_until - now <= _LONGEST_PAUSE_S:  # a clock that was set back doesn't make it longer
            return False
        if kept is None or not 0 <= now - kept.since < kept.published.holds_s:
            return True
        return not kept.has(kid) and not 0 <= now - self._stranger_at < BETWEEN_STRANGERS_S

    def _is_at_hand(self, kid: str | None) -> bool:
        kept = self._usable()
        return kept is not None and kept.has(kid)

    def _fetch(self, kid: str | None) -> None:
        with self._turn:
            if not self._is_due(kid):
                return  # somebody else fetched while this one waited
            if self._kept is not None and not self._kept.has(kid):
                self._stranger_at = self._now()
            try:
                published = self._publication.read()
            except IssuerUnavailable as problem:
                self._note_failure(problem)
            else:
                self._kept, self._failures, self._rests_until = _Kept(published, self._now()), 0, 0.0
                log.info("issuer_keys_fetched", issuer=self._publication.issuer.issuer, keys=len(published.keys))

    def _note_failure(self, problem: IssuerUnavailable) -> None:
        pause = min(_LONGEST_PAUSE_S, _FIRST_PAUSE_S * 2 ** min(self._failures, 10))
        self._failures += 1
        self._rests_until = self._now() + random.uniform(pause / 2, pause)  # noqa: S311 - jitter
        log.warning(
            "issuer_did_not_answer",
            issuer=self._publication.issuer.issuer,
            failures=self._failures,
            detail=problem.detail,
            **problem.facts,
            cause=repr(problem.__cause__),
        )

    def _usable(self) -> _Kept | None:
        kept = self._kept
        return kept if kept is not None and self._now() - kept.since <= OLDEST_S else None

    def _rest(self) -> int:
        """Return the whole seconds until the issuer may be asked again."""
        return max(1, math.ceil(min(_LONGEST_PAUSE_S, self._rests_until - self._now())))

    def _now(self) -> float:
        return self._clock.now().timestamp()
