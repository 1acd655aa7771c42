"""Rows of the database, read as the values that they were made of.

A row that is nothing of the kind is never left out: whoever asked gets CorruptRow with its id, the log an error, and
`/metrics` one more.
"""

import json
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from carapulse.kernel.errors import CorruptRow
from carapulse.metrics import Count
from carapulse.observe import get_logger

M = TypeVar("M", bound=BaseModel)
CORRUPT = Count(
    "carapulse_corrupt_rows_total", "Times that a row of the database was not what it must be", {"table": None}
)
_MOST = 5

log = get_logger(__name__)


def read_row(kind: type[M], content: object, *, table: str, row_id: str) -> M:
    """Return what a row holds, or raise CorruptRow."""
    try:
        return kind.model_validate(content)
    except ValidationError as error:
        raise corrupt_row(table, row_id, faults_in(error)) from error


def read_text(kind: type[M], content: str, *, table: str, row_id: str) -> M:
    """Return what a row holds that comes as JSON text, or raise CorruptRow."""
    try:
        return kind.model_validate_json(content)
    except ValidationError as error:
        raise corrupt_row(table, row_id, faults_in(error)) from error


def corrupt_row(table: str, row_id: str, why: str) -> CorruptRow:
    """Return the error to raise for a row that can't be read; the log and the count know of it by then."""
    log.error("row_corrupt", table=table, row_id=row_id, why=why)
    CORRUPT.add(table=table)
    return CorruptRow("a stored row is not what it must be; an operator has to look at it", table=table, row_id=row_id)


def faults_in(error: ValidationError) -> str:
    """Return where a value doesn't fit its type and why, without the value: it may be nobody's to see."""
    found = error.errors(include_url=False, include_context=False, include_input=False)
    said = [f"{'.'.join(map(str, each['loc'])) or 'all of it'}: {each['msg']}" for each in found[:_MOST]]
    return "; ".join([*said, *([f"and {len(found) - _MOST} more"] if len(found) > _MOST else [])])


def json_or_text(text: str) -> Any:  # noqa: ANN401 - any JSON value
    """Return the JSON value that a column's text says, or the text itself if it is none that Python can hold."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text
