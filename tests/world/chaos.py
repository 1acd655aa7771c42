"""A queue that keeps to the letter of its promise and no further."""

import random
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from carapulse.adapters.postgres.queue import Delivery, PostgresQueue

_AGAIN_S = 0.05  # how soon what was lost shows itself again
_LONGEST_S = 0.3


@dataclass
class UnrulyQueue:
    """Our queue at its worst: twice, late, out of order, lost on the way to the worker or on the way back."""

    queue: PostgresQueue
    seed: int
    counts: dict[str, int] = field(default_factory=dict)
    _kept: list[tuple[float, Delivery]] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        self.chance = random.Random(self.seed)

    def take(self, queues: Sequence[str], how_many: int, visibility_s: float) -> list[Delivery]:
        """Take more than was asked for, and give some of it, some time, in some order, some of it twice or never."""
        taken = self.queue.take(queues, how_many + 3, visibility_s)
        with self._lock:
            for delivery in taken:
                for late_s in self._fates(delivery):
                    self._kept.append((time.monotonic() + late_s, delivery))
            due = [each for each in self._kept if each[0] <= time.monotonic()]
            given = self.chance.sample(due, min(how_many, len(due)))
            for each in given:
                self._kept.remove(each)
        return [delivery for _, delivery in given]

    def _fates(self, delivery: Delivery) -> list[float]:
        """Return how late a delivery is given, once for each time that it is."""
        fate = self.chance.choice(["plain", "plain", "twice", "late", "late twice", "lost"])
        self.counts[fate] = self.counts.get(fate, 0) + 1
        if fate == "lost":
            self.queue.extend(delivery, _AGAIN_S)
            return []
        late = self.chance.uniform(0, _LONGEST_S) if fate.startswith("late") else 0.0
        return [late, self.chance.uniform(0, _LONGEST_S)] if fate.endswith("twice") else [late]

    def ack(self, delivery: Delivery) -> bool:
        """Lose one answer in three: what is done with comes again."""
        with self._lock:
            lost = self.chance.random() < 1 / 3
            self.counts["unheard"] = self.counts.get("unheard", 0) + lost
        return self.queue.extend(delivery, _AGAIN_S) if lost else self.queue.ack(delivery)

    def seconds_until_due(self, queues: Sequence[str]) -> float | None:
        """Return how long until the next message shows itself."""
        return self.queue.seconds_until_due(queues)

    def extend(self, delivery: Delivery, visibility_s: float) -> bool:
        """Keep the message hidden."""
        return self.queue.extend(delivery, visibility_s)

    def retry(self, delivery: Delivery, reason: str, delay: timedelta) -> bool:
        """Give the message back."""
        return self.queue.retry(delivery, reason, delay)

    def bury(self, delivery: Delivery, reason: str, at: datetime) -> bool:
        """Put the message among the dead letters."""
        return self.queue.bury(delivery, reason, at)
