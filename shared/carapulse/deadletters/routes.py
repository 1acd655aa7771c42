"""Dead letters over HTTP."""

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Query

from carapulse.deadletters.examples import DISCARDING, REPLAYING
from carapulse.deadletters.model import DeadLetterFilter
from carapulse.deadletters.usecases import (
    SettleDeadLetter,
    discard_dead_letter,
    get_dead_letter,
    list_dead_letters,
    replay_dead_letter,
)
from carapulse.deadletters.views import DeadLetterView, SettledView
from carapulse.examples import shows
from carapulse.kernel.cursor import Page
from carapulse.paging import ThesePages
from carapulse.routing import Ports, ThisCall, needs, starts_work

router = APIRouter(prefix="/v1/dead-letters", tags=["dead-letters"])


@router.get("", name="list", dependencies=[needs("message:read")])
def list_page(
    wanted: Annotated[DeadLetterFilter, Query()], pages: ThesePages, call: ThisCall, ports: Ports
) -> Page[DeadLetterView]:
    """List the messages that were given up, the last to die first."""
    return pages.turn(lambda wanted: list_dead_letters(wanted, call, ports), wanted)


@router.get("/{message_id}", name="get", dependencies=[needs("message:read")])
def get(message_id: str, call: ThisCall, ports: Ports) -> DeadLetterView:
    """Show one message that was given up, and why it was."""
    return get_dead_letter(message_id, call, ports)


@router.post(
    "/{message_id}:replay",
    name="replay",
    status_code=HTTPStatus.ACCEPTED,
    dependencies=[needs("message:replay"), starts_work],
    openapi_extra=shows(REPLAYING),
)
def replay(message_id: str, command: SettleDeadLetter, call: ThisCall, ports: Ports) -> SettledView:
    """Put a message back into its queue, to be worked on anew."""
    return replay_dead_letter(message_id, command, call, ports)


@router.post(
    "/{message_id}:discard", name="discard", dependencies=[needs("message:discard")], openapi_extra=shows(DISCARDING)
)
def discard(message_id: str, command: SettleDeadLetter, call: ThisCall, ports: Ports) -> SettledView:
    """Throw a message away for good."""
    return discard_dead_letter(message_id, command, call, ports)
