"""Indexes on tables that are in use: made beside the writers, whom they never keep waiting."""

from alembic import op
from sqlalchemy import text

_WAITS = ("statement_timeout", "lock_timeout")


def add_index(name: str, definition: str) -> None:
    """Make an index, outside of any transaction; one that was left unfinished is made anew.

    What a migration did before is committed with it, so when it is run again it must find its own traces and go on.
    """
    with op.get_context().autocommit_block():
        connection = op.get_bind()
        connection.execute(text("COMMIT"))  # the driver is in the transaction in which Alembic asked for its level
        before = {each: connection.execute(text(f"SHOW {each}")).scalar_one() for each in _WAITS}
        for each in _WAITS:  # it waits for older transactions, and holds up nobody meanwhile
            connection.execute(text(f"SET {each} = 0"))
        connection.execute(text(f"DROP INDEX CONCURRENTLY IF EXISTS {name}"))
        connection.execute(text(f"CREATE INDEX CONCURRENTLY {name} ON {definition}"))
        for each, value in before.items():
            connection.execute(text(f"SET {each} = '{value}'"))
