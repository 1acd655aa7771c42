"""Work that collection leaves for later: nobody who asks for a run waits for it."""

from typing import ClassVar

from carapulse.kernel.message import Message


class RunCollector(Message):
    """Ask a system what there is, once, and report it."""

    queue: ClassVar[str] = "collection"
    name: str
    run_id: str
