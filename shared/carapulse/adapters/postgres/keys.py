"""Whose a key is and whether it holds, asked before any tenant is known."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Engine, text

from carapulse.adapters.postgres.engine import bind_tenant, translated
from carapulse.apikeys.ports import KnownKey, Mark
from carapulse.apikeys.store import key_in

_FIND = text("SELECT * FROM find_api_key(:prefix)")
_USED = text(
    "UPDATE api_keys SET last_used_at = CAST(:at AS timestamptz) WHERE tenant = :tenant AND id = :id"
    " AND (last_used_at IS NULL OR last_used_at <= CAST(:at AS timestamptz) - interval '1 minute')"
)

_MARKED = text(
    "UPDATE api_keys SET mark = :mark, marked_by = :made_by,"
    " last_used_at = greatest(last_used_at, CAST(:at AS timestamptz))"
    " WHERE tenant = :tenant AND id = :id AND mark = :known"
)


@dataclass(frozen=True, slots=True)
class PostgresKeyDirectory:
    """Asks the one function that sees every tenant's keys, and only by a prefix."""

    engine: Engine

    def find(self, prefix: str) -> KnownKey | None:
        """Return the key with this prefix as it is at this very moment, also one that is over, or None."""
        with translated(), self.engine.connect() as connection:
            row = connection.execute(_FIND, {"prefix": prefix}).mappings().one_or_none()
        if row is None:
            return None
        mark = Mark(text=row["mark"], made_by=row["marked_by"])
        return KnownKey(tenant=row["tenant"], mark=mark, key=key_in(row))

    def note_use(self, known: KnownKey, at: datetime) -> None:
        """Remember that the key was used, at most once a minute however many processes see it."""
        with translated(), self.engine.begin() as connection:
            bind_tenant(connection, known.tenant)
            connection.execute(_USED, {"at": at, "tenant": known.tenant, "id": known.key.id})

    def mark_anew(self, known: KnownKey, mark: Mark, at: datetime) -> None:
        """Remember another mark of a key, unless somebody else has, and that it was used."""
        given = {"tenant": known.tenant, "id": known.key.id, "known": known.mark.text, **dict(mark), "at": at}
        given["mark"] = given.pop("text")
        with translated(), self.engine.begin() as connection:
            bind_tenant(connection, known.tenant)
            connection.execute(_MARKED, given)
