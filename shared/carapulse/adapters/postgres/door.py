"""How a database is reached: by which address now, and past a pooler or not."""

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Door:
    """The address is asked for anew at each connection, because the password in it may have changed.

    Behind a pooler in transaction mode, each transaction may meet another session: nothing may be left in one.
    """

    address: Callable[[], str]
    pooled: bool = False

    @staticmethod
    def at(where: "str | Door") -> "Door":
        """Return the door to an address that stays as it is, without a pooler."""
        return where if isinstance(where, Door) else Door(lambda: where)


def opening(settings: dict[str, str]) -> str:
    """Return what begins a transaction that has these settings, and leaves none behind."""
    return "; ".join(["begin transaction", *(f"SET LOCAL {name} = '{value}'" for name, value in settings.items())])
