"""Reading what a program writes: as much as is wanted is kept, the rest is let go so that it never blocks."""

import codecs
from collections.abc import Callable

_LONGEST_LINE = 4096


class Stream:
    """One of a program's two outputs: keeps its beginning, and passes on its lines while it does."""

    def __init__(self, most: int, on_line: Callable[[str], None]) -> None:
        self._most = most
        self._on_line = on_line
        self._kept = bytearray()
        self._decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")
        self._rest = ""
        self.truncated = False

    def feed(self, data: bytes) -> None:
        """Take what was read."""
        room = self._most - len(self._kept)
        self._kept += data[:room]
        if len(data) > room:
            self.truncated = True
        if room > 0:
            self._pass_on(self._decoder.decode(data[:room]))

    def close(self) -> str:
        """Pass on the last line and return all that was kept."""
        self._pass_on(self._decoder.decode(b"", final=True))
        if self._rest:
            self._on_line(self._rest)
        if self.truncated:
            self._on_line("(more was written than is kept)")
        return self._kept.decode("utf-8", errors="replace")

    def _pass_on(self, text: str) -> None:
        *lines, self._rest = (self._rest + text).split("\n")
        if len(self._rest) > _LONGEST_LINE:
            lines.append(self._rest)
            self._rest = ""
        for line in lines:
            self._on_line(line[:_LONGEST_LINE].rstrip("\r"))
