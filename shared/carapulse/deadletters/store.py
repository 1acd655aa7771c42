"""Dead letters in Postgres: the queue's own rows."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, RowMapping, Select, Text, cast, delete, func, null, select, tuple_, update

from carapulse.deadletters.errors import DeadLetterNotFound, MessageNotDead
from carapulse.deadletters.model import DeadLetter, DeadLetterFilter
from carapulse.deadletters.tables import messages
from carapulse.kernel.cursor import CursorInvalid, Page
from carapulse.rows import json_or_text, read_row

_LETTER = [messages.c[name] for name in DeadLetter.model_fields if name in messages.c and name != "body"] + [
    messages.c.last_error.label("reason"),
    cast(messages.c.body, Text).label("body"),  # what the driver can't hold must be seen all the same
]


@dataclass(frozen=True, slots=True)
class PostgresDeadLetters:
    """The dead letters of one tenant, within one transaction."""

    connection: Connection
    tenant: str

    def page(self, wanted: DeadLetterFilter) -> Page[DeadLetter]:
        """Return dead letters, the last to die first."""
        place = tuple_(messages.c.dead_at, messages.c.id)
        query = self._all().where(messages.c.dead_at.is_not(None))
        for name in ("queue", "type"):
            if (value := getattr(wanted, name)) is not None:
                query = query.where(messages.c[name] == value)
        if wanted.cursor is not None:
            query = query.where(place < _place(wanted.cursor))
        query = query.order_by(messages.c.dead_at.desc(), messages.c.id.desc()).limit(wanted.limit + 1)
        found = [_letter(row) for row in self.connection.execute(query).mappings()]
        return wanted.cut(found, _cursor)

    def get(self, message_id: str) -> DeadLetter:
        """Return the dead letter, or raise DeadLetterNotFound."""
        query = self._all().where(messages.c.id == message_id, messages.c.dead_at.is_not(None))
        row = self.connection.execute(query).mappings().one_or_none()
        if row is None:
            raise DeadLetterNotFound("there is no such dead letter", message_id=message_id)
        return _letter(row)

    def lock(self, message_id: str) -> DeadLetter:
        """Return the dead letter, which nobody else can settle meanwhile; MessageNotDead for one on its way."""
        query = self._all().where(messages.c.id == message_id).with_for_update()
        row = self.connection.execute(query).mappings().one_or_none()
        if row is None:
            raise DeadLetterNotFound("there is no such dead letter", message_id=message_id)
        if row["dead_at"] is None:
            raise MessageNotDead("the message is not dead: it is on its way", message_id=message_id)
        return _letter(row)

    def revive(self, message_id: str) -> None:
        """Put a locked letter back, as if it had never been tried; workers look for messages once a second at least."""
        fresh = {"attempts": 0, "dead_at": null(), "receipt": null(), "last_error": null()}
        query = update(messages).where(*self._one(message_id))
        self.connection.execute(query.values(**fresh, available_at=func.clock_timestamp()))

    def discard(self, message_id: str) -> None:
        """Throw a locked letter away."""
        self.connection.execute(delete(messages).where(*self._one(message_id)))

    def _all(self) -> Select[Any]:
        return select(*_LETTER).where(messages.c.tenant == self.tenant)

    def _one(self, message_id: str) -> tuple[Any, ...]:
        return (messages.c.tenant == self.tenant, messages.c.id == message_id)


def _letter(row: RowMapping) -> DeadLetter:
    content = {**row, "body": json_or_text(row["body"])}
    return read_row(DeadLetter, content, table="messages", row_id=row["id"])


def _cursor(letter: DeadLetter) -> str:
    return f"{letter.dead_at.isoformat()} {letter.id}"


def _place(key: str) -> tuple[datetime, str]:
    moment, _, message_id = key.partition(" ")
    try:
        at = datetime.fromisoformat(moment)
    except ValueError as error:
        raise CursorInvalid("the cursor is not one that this list gave out") from error
    if at.tzinfo is None or not message_id:
        raise CursorInvalid("the cursor is not one that this list gave out")
    return at, message_id
