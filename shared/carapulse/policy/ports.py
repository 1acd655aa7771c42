"""What policy asks of the outside world: an engine that evaluates rules."""

from collections.abc import Mapping
from typing import Any, Protocol


class PolicyEngine(Protocol):
    """Evaluates one fixed set of rules and data."""

    @property
    def digest(self) -> str:
        """The digest of every file that takes part in a decision."""
        ...

    def decide(self, document: Mapping[str, Any]) -> object:
        """Return the engine's raw answer, None where it has none, or raise a Problem if it can't be asked."""
        ...
