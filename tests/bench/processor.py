"""What the database's server has used of the processor: all of its processes, also those that are gone."""

import os
from pathlib import Path

_TICKS = os.sysconf("SC_CLK_TCK")


def server_seconds(postmaster: int) -> float:
    """Return the seconds that a server's processes have used together; what has ended is in its parent's account."""
    own = _fields(postmaster)
    ended = sum(own[13:15])
    children = Path(f"/proc/{postmaster}/task/{postmaster}/children").read_text().split()
    return (sum(own[11:13]) + ended + sum(_used(int(each)) for each in children)) / _TICKS


def _used(process: int) -> int:
    try:
        return sum(_fields(process)[11:13])
    except (FileNotFoundError, ProcessLookupError):
        return 0  # it has just ended, and is counted with its parent's ended ones from now on


def _fields(process: int) -> list[int]:
    """Return the numbers behind the name in /proc/PID/stat; utime to cstime are 11 to 14 (proc(5))."""
    after_name = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return [int(each) if each.lstrip("-").isdecimal() else 0 for each in after_name]
