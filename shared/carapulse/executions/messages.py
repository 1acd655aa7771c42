"""The messages of the queue driver."""

from typing import ClassVar

from carapulse.kernel.message import Message


class AdvanceExecution(Message):
    """Look at an execution and do what comes next. The state tells what that is, so a second one does no harm."""

    queue: ClassVar[str] = "executions"

    execution_id: str
