"""What tools need from the world: programs that run, requests that are answered, secrets that can be read."""

import threading
from collections.abc import Callable
from enum import StrEnum
from typing import Protocol

from pydantic import Field

from carapulse.kernel.record import Record


class Limits(Record):
    """What one program may use. CPU in seconds over all threads, sizes in bytes."""

    cpu_s: int = Field(default=600, ge=1)
    memory_bytes: int = Field(default=4 * 1024**3, ge=64 * 1024**2)
    file_bytes: int = Field(default=256 * 1024**2, ge=0)
    open_files: int = Field(default=1024, ge=16)
    processes: int = Field(default=128, ge=1)


class Command(Record):
    """A program to run, with its whole environment and the files that it finds in its own folder.

    What it writes to stderr is passed on line by line; what it writes to stdout too, unless that is data.
    """

    program: str
    arguments: tuple[str, ...]
    environment: dict[str, str] = Field(default_factory=dict)
    files: dict[str, str] = Field(default_factory=dict)
    search_path: tuple[str, ...] = ()
    limits: Limits = Limits()
    output_bytes: int = 1_048_576
    shows_stdout: bool = True


class EndedBy(StrEnum):
    """Who ended a program."""

    ITSELF = "itself"
    DEADLINE = "deadline"
    CANCEL = "cancel"
    LIMIT = "limit"


class Ended(Record):
    """How a program ended, and what it wrote. `truncated`: it wrote more than was kept."""

    by: EndedBy
    exit_code: int | None = None
    signal: int | None = None
    stdout: str = ""
    stderr: str = ""
    truncated: bool = False
    duration_ms: int = 0


class Programs(Protocol):
    """Runs programs, and leaves none of their processes behind."""

    def run(
        self, command: Command, *, on_line: Callable[[str], None], cancelled: threading.Event, deadline_s: float
    ) -> Ended:
        """Run to the end, the deadline or the cancel, or raise ToolUnavailable if it can't be started."""
        ...


class Request(Record):
    """One HTTP request. `may_reach` holds the only `host:port` that it may go to.

    With `may_be_private`, only those in it may lead out of the public internet, whatever `may_reach` says.
    """

    method: str
    url: str
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""
    may_reach: frozenset[str]
    may_be_private: frozenset[str] | None = None
    ca_file: str | None = None
    answer_bytes: int = 1_048_576


CANCELLED = "cancelled"


class Answer(Record):
    """The answer to a request. `lost` says why there is none; if it was `sent`, it may have been acted upon."""

    status: int | None = None
    headers: dict[str, str] = Field(default_factory=dict)
    body: bytes = b""
    truncated: bool = False
    lost: str | None = None
    sent: bool = True
    duration_ms: int = 0


class Web(Protocol):
    """Makes HTTP requests."""

    def send(self, request: Request, *, cancelled: threading.Event, deadline_s: float) -> Answer:
        """Return the answer. ToolUnavailable if nothing was sent, EgressRefused if nothing may be."""
        ...


class Secrets(Protocol):
    """Reads, makes and keeps secrets."""

    def read(self, reference: str) -> str:
        """Return what `env:NAME`, `file:/path` or `STORE:PLACE` holds now, or raise what errors.py says of secrets."""
        ...

    def generate(self, characters: int) -> str:
        """Return a new random secret of that length."""
        ...

    def keep(self, folder: str, name: str, value: str) -> str:
        """Keep a secret in a file of that folder that nobody else can read, and return its reference."""
        ...
