"""Where logs go and how they look: one JSON object a line, with the trace, and nothing secret in it."""

import json
import logging
import sys
import threading
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, TextIO

from carapulse.observe import FACTS
from carapulse.redaction import redacted, redacted_text
from carapulse.tracing import current_trace

_log = logging.getLogger(__name__)
_FOREIGN = "library_said"


class JsonLines(logging.Formatter):
    """Writes a record as one line of JSON. Every record of every library passes here, so here it is redacted."""

    def __init__(self, service: str) -> None:
        super().__init__()
        self._service = service

    def format(self, record: logging.LogRecord) -> str:
        """Return the line: what every record has, then its facts, then its exception."""
        line = self._common(record)
        for name, fact in redacted(getattr(record, FACTS, {})).items():
            line[f"{name}_" if name in line else name] = fact
        if record.exc_info and record.exc_info[1] is not None:
            line["error"] = self._error(record.exc_info[1], record)
        return json.dumps(line, ensure_ascii=False, separators=(",", ":"))

    def _common(self, record: logging.LogRecord) -> dict[str, Any]:
        is_ours = hasattr(record, FACTS)
        trace = current_trace()
        line = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "level": record.levelname.lower(),
            "event": record.msg if is_ours else _FOREIGN,
            "service": self._service,
            "logger": record.name,
        }
        if trace is not None:
            line["trace_id"] = trace.id
        if not is_ours:
            line["message"] = redacted_text(record.getMessage())
        return line

    def _error(self, error: BaseException, record: logging.LogRecord) -> dict[str, str]:
        stack = self.formatException(record.exc_info) if record.exc_info else ""
        return {"type": type(error).__name__, "message": redacted_text(str(error)), "stack": redacted_text(stack)}


def set_up_logging(service: str, level: str = "INFO", stream: TextIO | None = None) -> None:
    """Send everything that is logged, warned of or left uncaught in this process to one stream, stderr by default.

    Whatever handlers there were, such as those of a cloud's runtime, are replaced: they would write without redaction.
    """
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(JsonLines(service))
    logging.basicConfig(level=level, handlers=[handler], force=True)
    logging.captureWarnings(capture=True)
    logging.getLogger("httpx").setLevel(logging.WARNING)  # it tells the whole address of each request, secrets and all
    sys.excepthook = _log_uncaught
    threading.excepthook = _log_uncaught_in_thread


def _log_uncaught(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    if issubclass(kind, KeyboardInterrupt):
        sys.__excepthook__(kind, error, trace)
        return
    _log.critical("uncaught", exc_info=(kind, error, trace), extra={FACTS: {}})


def _log_uncaught_in_thread(uncaught: threading.ExceptHookArgs) -> None:
    name = uncaught.thread.name if uncaught.thread else ""
    error = uncaught.exc_value
    if error is not None:
        _log.critical("uncaught", exc_info=error, extra={FACTS: {"thread": name}})
