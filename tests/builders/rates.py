"""Limits that no test reaches, unless it is about them."""

from dataclasses import dataclass
from functools import cache
from typing import Any

from carapulse.bootstrap import quotas
from carapulse.rates.model import Grant, Quotas
from carapulse.rates.spending import Rates
from carapulse.settings import Settings

CLASSES = ("read", "write", "start", "stream")
GENEROUS: dict[str, Any] = {
    **{f"rate_{name}{whose}": 1_000_000 for name in CLASSES for whose in ("", "_tenant")},
    "rate_webhook": 1_000_000,
    "rate_unauthenticated": 1_000_000,
}
GENEROUS_ENVIRONMENT = {f"CARAPULSE_{name.upper()}": str(most) for name, most in GENEROUS.items()}


class Plenty:
    """Lends to everybody, and counts nothing."""

    def take(self, claims):
        return [Grant(granted=each.wanted, taken=each.wanted, slot=0, left_s=60.0) for each in claims]


@dataclass(frozen=True, kw_only=True)
class HttpChosen:
    """What an installation chose that says nothing about HTTP."""

    cors_origins: frozenset[str] = frozenset()
    rate_unauthenticated: int = 1_000_000


def unlimited() -> Rates:
    """Return limits that need no database."""
    return Rates(Plenty(), _quotas())


@cache
def _quotas() -> Quotas:
    return quotas(Settings(**GENEROUS))
