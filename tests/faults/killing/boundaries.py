"""The boundaries of a run, found at the ports: before and after whatever commits, and whatever has an effect."""

import os
import re
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, event

_DEED = re.compile(r"\s*(?:(INSERT) INTO|(UPDATE)|(DELETE) FROM|SELECT \* FROM|SELECT) (\w+)(\(?)", re.IGNORECASE)
_SETTING = "set_config"


@dataclass
class Boundaries:
    """Counts boundaries, writes each into a file before it is passed, and ends the process at one of them."""

    file: Path
    kill_at: int
    _count: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def reach(self, name: str) -> None:
        """Pass a boundary, or die at it."""
        with self._lock:
            self._count += 1
            with self.file.open("a") as file:
                file.write(f"{name}\n")
            if self._count == self.kill_at:
                os.kill(os.getpid(), signal.SIGKILL)

    @contextmanager
    def around(self, name: str) -> Iterator[None]:
        """Pass the boundary before something, and the one after it."""
        self.reach(f"before {name}")
        yield
        self.reach(f"after {name}")


def count_commits(engine: Engine, boundaries: Boundaries) -> None:
    """Make every commit of an engine two boundaries; the second is where its connection is given back."""

    @event.listens_for(engine, "before_cursor_execute")
    def note(connection: Connection, *said: Any) -> None:
        found = _DEED.match(said[1])
        if found is not None and (found.group(5) or not found.group(0).lstrip().upper().startswith("SELECT")):
            words = [word for word in found.groups()[:4] if word]
            if _SETTING not in words:
                connection.info.setdefault("deeds", []).append(" ".join(words))

    @event.listens_for(engine, "commit")
    def before(connection: Connection) -> None:
        name = "commit of " + (", ".join(dict.fromkeys(connection.info.pop("deeds", []))) or "what was only read")
        connection.info["committed"] = name
        boundaries.reach(f"before {name}")

    @event.listens_for(engine, "rollback")
    def forget(connection: Connection) -> None:
        connection.info.pop("deeds", None)

    @event.listens_for(engine, "checkin")
    def after(_connection: object, record: Any) -> None:
        name = record.info.pop("committed", None)
        if name is not None:
            boundaries.reach(f"after {name}")
