"""What a running program says about itself: constant event names, facts as fields.

Standard library loggers carry the facts; the runtime decides once where and how they are written. Powertools' Logger
is not used: it installs its handler when a module is imported, and whoever only wants to log would pay for its import.
"""

import logging
from collections.abc import Mapping
from typing import Any

FACTS = "carapulse_facts"


class Log:
    """Writes events of one module. An event is a constant name; what differs goes into fields."""

    def __init__(self, logger: logging.Logger) -> None:
        self._logger = logger

    def debug(self, event: str, **facts: object) -> None:
        """Say something that only a developer wants to know."""
        self._logger.debug(event, extra=_extra(facts), stacklevel=2)

    def info(self, event: str, **facts: object) -> None:
        """Say what happened."""
        self._logger.info(event, extra=_extra(facts), stacklevel=2)

    def warning(self, event: str, **facts: object) -> None:
        """Say what an operator should look at some day."""
        self._logger.warning(event, extra=_extra(facts), stacklevel=2)

    def error(self, event: str, **facts: object) -> None:
        """Say what an operator should look at now."""
        self._logger.error(event, extra=_extra(facts), stacklevel=2)

    def exception(self, event: str, **facts: object) -> None:
        """Say what an operator should look at now, with the exception being handled."""
        self._logger.exception(event, extra=_extra(facts), stacklevel=2)  # noqa: LOG004 - its caller handles


def get_logger(name: str) -> Log:
    """Return the log of a module; call it with `__name__`."""
    return Log(logging.getLogger(name))


def _extra(facts: Mapping[str, object]) -> dict[str, Any]:
    return {FACTS: facts}
