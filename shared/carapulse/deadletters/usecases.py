"""What can be done about dead letters. One function is one thing an operator can ask for."""

from carapulse.deadletters.events import MessageDiscarded, MessageReplayed
from carapulse.deadletters.model import DeadLetterFilter, Note
from carapulse.deadletters.ports import DeadLetterPorts
from carapulse.deadletters.views import DeadLetterView, SettledView
from carapulse.kernel.call import Call
from carapulse.kernel.cursor import Page
from carapulse.kernel.record import Record
from carapulse.observe import get_logger

log = get_logger(__name__)


class SettleDeadLetter(Record):
    """Why a dead letter is replayed or thrown away; kept in the log."""

    note: Note


def list_dead_letters(wanted: DeadLetterFilter, call: Call, ports: DeadLetterPorts) -> Page[DeadLetterView]:
    """Return dead letters, the last to die first."""
    with ports.begin(call) as work:
        page = work.dead_letters.page(wanted)
    return Page(data=tuple(map(DeadLetterView.of, page.data)), next_cursor=page.next_cursor)


def get_dead_letter(message_id: str, call: Call, ports: DeadLetterPorts) -> DeadLetterView:
    """Return one dead letter."""
    with ports.begin(call) as work:
        return DeadLetterView.of(work.dead_letters.get(message_id))


def replay_dead_letter(message_id: str, command: SettleDeadLetter, call: Call, ports: DeadLetterPorts) -> SettledView:
    """Put a dead letter back into its queue; whatever has been done about it meanwhile is not done again."""
    with ports.begin(call) as work:
        letter = work.dead_letters.lock(message_id)
        work.dead_letters.revive(letter.id)
        work.record(letter.id, MessageReplayed.of(letter, command.note))
    log.info("message_replayed", message_id=letter.id, type=letter.type)
    return SettledView.of(letter, "replayed")


def discard_dead_letter(message_id: str, command: SettleDeadLetter, call: Call, ports: DeadLetterPorts) -> SettledView:
    """Throw a dead letter away; the log keeps that it was there, and why it went."""
    with ports.begin(call) as work:
        letter = work.dead_letters.lock(message_id)
        work.dead_letters.discard(letter.id)
        work.record(letter.id, MessageDiscarded.of(letter, command.note))
    log.info("message_discarded", message_id=letter.id, type=letter.type)
    return SettledView.of(letter, "discarded")
