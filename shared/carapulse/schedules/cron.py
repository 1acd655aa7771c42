"""When a cron expression comes due, on the clocks of a place, as Debian's cron understands it.

A fixed time that clocks skip in spring comes due at the first moment after the gap, and one that they show twice in
autumn the first time only. What begins with a star, every so many minutes or every hour, goes by the time that passes:
nothing is made up for in spring, and nothing is left out in autumn.
"""

from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import islice
from typing import Annotated
from zoneinfo import ZoneInfo

from cronsim import CronSim, CronSimError
from pydantic import AfterValidator, StringConstraints

from carapulse.kernel.names import TRIMMED

ALIASES = {
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
    "@monthly": "0 0 1 * *",
    "@weekly": "0 0 * * 0",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@hourly": "0 * * * *",
}
_FIELDS = 5
_ANY_DAY = datetime(2024, 1, 1, tzinfo=UTC)


def _sound(cron: str) -> str:
    if cron not in ALIASES and len(cron.split()) != _FIELDS:
        raise ValueError("five fields are needed: minute, hour, day of the month, month, day of the week; or an alias")
    try:
        first = next(_occurrences(cron, _ANY_DAY), None)
    except CronSimError as error:
        raise ValueError(f"this is no cron expression, or one that never comes due: {error}") from error
    if first is None:
        raise ValueError("this never comes due")
    return cron


Cron = Annotated[str, StringConstraints(min_length=1, max_length=200), TRIMMED, AfterValidator(_sound)]
"""Five fields, or an alias like `@hourly`; it comes due at some time or other."""


def runs_after(cron: str, zone: str, at: datetime, count: int) -> tuple[datetime, ...]:
    """Return the next moments after one, on the clocks of the zone; fewer if there are no more in fifty years."""
    found = _occurrences(cron, at.astimezone(ZoneInfo(zone)))
    # In the hour that autumn shows twice the library may name its first showing when the second has begun.
    return tuple(islice((each for each in found if each.timestamp() > at.timestamp()), count))


def _occurrences(cron: str, local: datetime) -> Iterator[datetime]:
    return CronSim(ALIASES.get(cron, cron), local)
