"""One program at a time uses a data directory. The kernel gives the claim back, however the program ends."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from carapulse.kernel.errors import Conflict, Invalid


@contextmanager
def claimed(folder: Path) -> Iterator[None]:
    """Make the folder if it isn't there and hold it; Conflict if another program does, Invalid if it can't be used."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        file = (folder / "lock").open("w")
    except OSError as error:
        raise Invalid(f"the data directory can't be used: {error.strerror}", data_dir=str(folder)) from error
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise Conflict("another program uses this data directory", data_dir=str(folder)) from error
        yield
