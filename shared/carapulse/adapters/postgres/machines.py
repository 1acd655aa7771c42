"""The machines of every tenant, as the clock looks after them."""

from collections.abc import Sequence
from dataclasses import dataclass

from carapulse.adapters.postgres.direct import Direct
from carapulse.orchestration.model import Change

_LOOK = "SELECT tenant, plan_id, generation, trace FROM machines_to_look_after(CAST(:how_many AS integer))"


@dataclass(frozen=True)
class PostgresMachineBook:
    """Asks in a transaction of its own, across tenants."""

    direct: Direct

    def to_look_after(self, how_many: int) -> Sequence[Change]:
        """Return machines that nobody has seen end, and leave each alone for a while."""
        rows = self.direct.run(_LOOK, how_many=how_many)
        names = ("tenant", "plan_id", "generation", "trace")
        return [Change.model_validate(dict(zip(names, row, strict=True))) for row in rows]
