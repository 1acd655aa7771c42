"""Keys in Postgres, by whose clock leases are counted: the processes' own may differ."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, func, select, text

from carapulse.idempotency.errors import AttemptTakenOver
from carapulse.idempotency.model import LEASE_S, Asked, Given, Held
from carapulse.idempotency.tables import idempotency_keys
from carapulse.kernel.call import Attempt, Call
from carapulse.rows import read_row

_CLAIM = text(
    "INSERT INTO idempotency_keys AS k"
    " (tenant, actor, key, fingerprint, attempt, state, trace, claimed_at, leased_until)"
    " VALUES (:tenant, :actor, :key, :fingerprint, :attempt, 'running', :trace, clock_timestamp(),"
    " clock_timestamp() + make_interval(secs => :lease_s))"
    " ON CONFLICT (tenant, actor, key) DO UPDATE SET attempt = excluded.attempt, trace = excluded.trace,"
    " claimed_at = excluded.claimed_at, leased_until = excluded.leased_until"
    " WHERE k.state = 'running' AND k.fingerprint = excluded.fingerprint AND k.leased_until < clock_timestamp()"
)
_OURS = "tenant = :tenant AND actor = :actor AND key = :key AND attempt = :attempt"
_GIVE_BACK = text(f"DELETE FROM idempotency_keys WHERE {_OURS} AND state = 'running'")  # noqa: S608 - our own words
_KEEP = text(
    "UPDATE idempotency_keys SET state = 'answered', permission = :permission, status = :status, location = :location,"  # noqa: S608 - our own words
    f" withheld = :withheld, sealed = :sealed WHERE {_OURS}"
)
_HAS_WRITTEN = text("SELECT pg_current_xact_id_if_assigned() IS NOT NULL")
_MARK = text(f"UPDATE idempotency_keys SET state = 'written' WHERE {_OURS} AND state IN ('running', 'written')")  # noqa: S608 - our own words
_LEASE = func.extract("epoch", idempotency_keys.c.leased_until - func.clock_timestamp()).label("lease_s")
_HELD = [*(idempotency_keys.c[name] for name in Held.model_fields if name in idempotency_keys.c), _LEASE]


@dataclass(frozen=True, slots=True)
class PostgresKeys:
    """The keys of one actor, within one transaction."""

    connection: Connection
    call: Call

    def claim(self, asked: Asked, attempt: Attempt) -> bool:
        """Give the key to this attempt, if nobody has it or who had it is dead and wrote nothing; say whether."""
        more = {"fingerprint": asked.fingerprint, "trace": self.call.trace, "lease_s": LEASE_S}
        return self._changed(_CLAIM, attempt, **more)

    def find(self, key: str) -> Held | None:
        """Return what a key was given to, or None."""
        keys = idempotency_keys.c
        mine = (keys.tenant == self.call.tenant, keys.actor == self.call.actor.id, keys.key == key)
        row = self.connection.execute(select(*_HELD).where(*mine)).mappings().one_or_none()
        return None if row is None else read_row(Held, dict(row), table="idempotency_keys", row_id=key)

    def give_back(self, attempt: Attempt) -> bool:
        """Let the key be free if the attempt still has it and wrote nothing; say whether."""
        return self._changed(_GIVE_BACK, attempt)

    def keep(self, given: Given, sealed: str | None, attempt: Attempt) -> bool:
        """Keep the answer if the attempt still has the key; say whether."""
        answer = given.answer
        about = {"permission": given.permission, "status": answer.status, "location": answer.headers.get("location")}
        return self._changed(_KEEP, attempt, **about, withheld=given.withheld, sealed=sealed)

    def _changed(self, statement: Any, attempt: Attempt, **more: object) -> bool:  # noqa: ANN401 - a text clause
        return bool(self.connection.execute(statement, {**_names(attempt, self.call), **more}).rowcount)


def mark_written(connection: Connection, call: Call, *, has_written: bool) -> None:
    """Note, in the transaction that has an effect, that its attempt had one; AttemptTakenOver if it is not its turn.

    Who doesn't know that it has written is asked: a transaction that wrote or locked nothing has no number yet.
    """
    if call.attempt is None or not (has_written or connection.execute(_HAS_WRITTEN).scalar_one()):
        return
    if not connection.execute(_MARK, _names(call.attempt, call)).rowcount:
        raise AttemptTakenOver("another request with this key took over; nothing was written by this one")


def _names(attempt: Attempt, call: Call) -> dict[str, object]:
    return {"tenant": call.tenant, "actor": call.actor.id, "key": attempt.key, "attempt": attempt.id}
