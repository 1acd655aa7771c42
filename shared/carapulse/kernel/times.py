"""Times as people name them: a time of the day, a moment, and a place whose clocks are meant."""

from datetime import UTC, datetime
from typing import Annotated
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, Field, StringConstraints

from carapulse.kernel.moment import Moment

_EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)
_LATEST = datetime(2200, 1, 1, tzinfo=UTC)
_NO_PLACES = frozenset({"Factory", "localtime", "posix", "posixrules", "right"})
"""What lies beside the zones on some machines: each machine's own clock, or clocks that count leap seconds."""


def _known_zone(name: str) -> str:
    if name.partition("/")[0] in _NO_PLACES:
        raise ValueError("this is a file beside the time zones, and not the name of one")
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ValueError("no time zone of the IANA database has this name") from error
    return name


def _in_reach(moment: datetime) -> datetime:
    if not _EARLIEST <= moment < _LATEST:
        raise ValueError("a moment lies between the years 2000 and 2200")
    return moment


TimeOfDay = Annotated[str, StringConstraints(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$")]
TimeZone = Annotated[
    str, Field(min_length=1, max_length=64, description="a name of the IANA database"), AfterValidator(_known_zone)
]
NearMoment = Annotated[Moment, AfterValidator(_in_reach)]
"""A moment that can be counted in nanoseconds since 1970 and be shifted between zones."""


def minute_of_day(time: str) -> int:
    """Return the minute of the day that a time like `09:30` is; `24:00` is the end of the day."""
    hours, minutes = time.split(":")
    return int(hours) * 60 + int(minutes)
