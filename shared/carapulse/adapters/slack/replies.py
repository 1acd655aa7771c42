"""Sends replies to the addresses that Slack gives (`response_url`), and to no other."""

import json
import threading
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final

from carapulse.adapters.slack.blocks import message
from carapulse.chatops.errors import ReplyRefused, ReplyUndelivered
from carapulse.chatops.model import Reply
from carapulse.kernel.errors import Denied, Invalid, Problem
from carapulse.tools.ports import Request, Web

_PATIENCE_S: Final = 10.0
_ANSWER_BYTES: Final = 4096
_HEADERS: Final = (("Content-Type", "application/json; charset=utf-8"),)
_BUSY: Final = frozenset({HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.REQUEST_TIMEOUT})


@dataclass(frozen=True, slots=True)
class SlackReplies:
    """Shows replies as Slack does, and sends them over the Web."""

    web: Web

    def shown(self, reply: Reply) -> dict[str, Any]:
        """Return a reply as Slack's JSON, to be seen by one person alone."""
        return message(reply)

    def send(self, address: str, reply: Reply, may_reach: frozenset[str]) -> None:
        """Send a reply beside the message that it is about.

        Raises ReplyRefused where Slack takes it no more or the address may not be written to, ReplyUndelivered for
        what may be tried again. What was lost on the way may have arrived: told twice, it is still true.
        """
        body = json.dumps({**message(reply), "replace_original": False}).encode()
        request = Request(
            method="POST",
            url=address,
            headers=_HEADERS,
            body=body,
            may_reach=may_reach,
            answer_bytes=_ANSWER_BYTES,
        )
        try:
            answer = self.web.send(request, cancelled=threading.Event(), deadline_s=_PATIENCE_S)
        except (Invalid, Denied) as error:
            raise ReplyRefused("the address for the reply may not be written to") from error
        except Problem as error:
            raise ReplyUndelivered("Slack could not be reached") from error
        _check(answer.status)


def _check(status: int | None) -> None:
    if status is None or status >= HTTPStatus.INTERNAL_SERVER_ERROR or status in _BUSY:
        raise ReplyUndelivered("Slack did not take the reply just now", status=status)
    if status >= HTTPStatus.MULTIPLE_CHOICES:
        raise ReplyRefused("Slack does not take the reply", status=status)
