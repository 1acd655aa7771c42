"""Events taken out of the log, oldest first, as text that grows while it is read: never more than a page is held."""

import csv
import json
from collections.abc import Iterator, Sequence
from io import StringIO

from carapulse.audit.model import EventQuery, EventsExported, ExportEvents, SealedEntry
from carapulse.audit.ports import AuditPorts, Place
from carapulse.kernel.call import Call
from carapulse.kernel.ids import new_id

_PAGE = 500
_FORMULA = (
    "=",
    "+",
    "-",
    "@",
    "\t",
    "\r",
    "\n",
)  # what a spreadsheet would carry out, were it the first sign of a cell
_COLUMNS = tuple(SealedEntry.model_fields)


def export_events(wanted: ExportEvents, call: Call, ports: AuditPorts) -> Iterator[str]:
    """Return the events up to now as text, piece by piece, and record that they were taken.

    What happens meanwhile is left out, so that it comes to an end. The first page is read before this returns.
    """
    until = min(wanted.until or call.at, call.at)
    query = wanted.model_copy(update={"until": until})
    with ports.begin(call) as work:
        first = work.evidence.after(None, query, _PAGE)
        asked = wanted.model_dump(mode="json", exclude={"format"}, exclude_none=True)
        work.record(new_id("export"), EventsExported(format=wanted.format, until=until.isoformat(), wanted=asked))
    pages = _pages(first, query, call, ports)
    return _as_csv(pages) if wanted.format == "csv" else _as_lines(pages)


def _pages(
    page: Sequence[tuple[Place, SealedEntry]], query: EventQuery, call: Call, ports: AuditPorts
) -> Iterator[list[SealedEntry]]:
    while page:
        yield [event for _, event in page]
        if len(page) < _PAGE:
            return
        with ports.begin(call) as work:
            page = work.evidence.after(page[-1][0], query, _PAGE)


def _as_lines(pages: Iterator[list[SealedEntry]]) -> Iterator[str]:
    for page in pages:
        yield "".join(event.model_dump_json() + "\n" for event in page)


def _as_csv(pages: Iterator[list[SealedEntry]]) -> Iterator[str]:
    yield ",".join(_COLUMNS) + "\r\n"
    for page in pages:
        text = StringIO()
        csv.writer(text).writerows([_cell(event, name) for name in _COLUMNS] for event in page)
        yield text.getvalue()


def _cell(event: SealedEntry, name: str) -> str:
    """Return what stands in a cell; a sign before it makes text of what would be carried out."""
    value = event.model_dump(mode="json", include={name})[name]
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return f"'{text}" if text.startswith(_FORMULA) else text
