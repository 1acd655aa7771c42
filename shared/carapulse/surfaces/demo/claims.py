"""What the demo claims, and whether it held. One claim that does not hold ends it."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from typing import Any, Protocol


class DemoError(Exception):
    """The demo can't go on: something that it needs is not there."""


class ClaimFailedError(DemoError):
    """Something did not come out as claimed."""


@dataclass(frozen=True)
class Claim:
    """One thing that must be so, and how it was seen."""

    chapter: str
    claim: str
    held: bool
    seen: str
    at_s: float


@dataclass(frozen=True)
class Chapter:
    """One part of the story, and how long it took."""

    name: str
    seconds: float


class Audience(Protocol):
    """Whoever watches."""

    def chapter(self, number: int, name: str) -> None:
        """Hear that a part begins."""
        ...

    def claim(self, claim: Claim) -> None:
        """Hear what was claimed and whether it held."""
        ...


@dataclass
class Claims:
    """Keeps every claim with the moment it was checked, and tells whoever watches."""

    audience: Audience
    made: list[Claim] = field(default_factory=list)
    chapters: list[Chapter] = field(default_factory=list)
    began: float = field(default_factory=time.monotonic)
    _now: str = ""

    @contextmanager
    def chapter(self, name: str) -> Iterator[None]:
        """Name the part of the story that the claims within belong to."""
        self._now = name
        started = time.monotonic()
        self.audience.chapter(len(self.chapters) + 1, name)
        try:
            yield
        finally:
            self.chapters.append(Chapter(name, round(time.monotonic() - started, 2)))

    def check(self, claim: str, held: bool, seen: object) -> None:  # noqa: FBT001 - what a check is about
        """Note whether a claim held; raise ClaimFailedError if it did not."""
        noted = Claim(self._now, claim, held, str(seen), round(time.monotonic() - self.began, 2))
        self.made.append(noted)
        self.audience.claim(noted)
        if not held:
            raise ClaimFailedError(f"{claim}: {seen}")

    @property
    def all_held(self) -> bool:
        """Whether something was claimed, and all of it held."""
        return bool(self.made) and all(claim.held for claim in self.made)

    def document(self) -> dict[str, Any]:
        """Return all of it as JSON."""
        return {
            "ok": self.all_held,
            "claims": [asdict(claim) for claim in self.made],
            "chapters": [asdict(chapter) for chapter in self.chapters],
        }
