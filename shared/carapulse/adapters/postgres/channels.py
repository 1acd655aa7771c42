"""Which tenants have channels that are to be told something."""

from collections.abc import Sequence
from dataclasses import dataclass

from carapulse.adapters.postgres.direct import Direct

_TO_TELL = "SELECT tenant FROM tenants_to_tell() AS tenant"


@dataclass(frozen=True, slots=True)
class PostgresChannelBook:
    """Asks the function that looks over the walls between tenants."""

    direct: Direct

    def tenants_to_tell(self) -> Sequence[str]:
        """Return the tenants with channels that the log has grown beyond."""
        return [str(tenant) for (tenant,) in self.direct.run(_TO_TELL)]
