"""Ids: a type prefix and a UUIDv7 (RFC 9562), sortable by time and not guessable."""

import secrets
import time

_RANDOM_BITS = 74


def new_id(prefix: str) -> str:
    """Return `prefix_` and 32 hex digits of a UUIDv7."""
    milliseconds = time.time_ns() // 1_000_000
    random = secrets.randbits(_RANDOM_BITS)
    high = (milliseconds << 16) | 0x7000 | (random >> 62)
    low = (0b10 << 62) | (random & ((1 << 62) - 1))
    return f"{prefix}_{high:016x}{low:016x}"
