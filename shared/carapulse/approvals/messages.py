"""What approvals send to themselves, to be seen later."""

from typing import ClassVar

from carapulse.kernel.message import Message


class ExpireApproval(Message):
    """An approval's time has come: if it is still open, it expires."""

    queue: ClassVar[str] = "approvals"
    plan_id: str
    approval_id: str
