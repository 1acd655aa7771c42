"""RegopyEngine: the policy engine of the embedded stack."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from carapulse.adapters.rego.interpreter import CompiledRules
from carapulse.adapters.rego.pitfalls import refuse_pitfalls
from carapulse.adapters.rego.selftest import prove
from carapulse.adapters.rego.sources import read_sources

ENTRY_POINT = "carapulse/decision"


class RegopyEngine:
    """The rules of one folder, compiled once. Rules that are absent, unsound or fail their self-test make no engine."""

    def __init__(self, folder: Path) -> None:
        sources = read_sources(folder)
        self._digest = sources.digest
        self._data = sources.data
        self._rules = CompiledRules(sources.modules, sources.data, [ENTRY_POINT])
        refuse_pitfalls(sources.modules)
        prove(self, sources.data)

    @property
    def digest(self) -> str:
        """The digest of every file that takes part in a decision."""
        return self._digest

    @property
    def production(self) -> frozenset[str]:
        """The environments that the policy's data calls production."""
        return frozenset(name for name, each in self._data["environments"].items() if each["production"])

    def decide(self, document: Mapping[str, Any]) -> object:
        """Return what the rules answer to one document, or None where they have no answer."""
        return self._rules.ask(ENTRY_POINT, document)
