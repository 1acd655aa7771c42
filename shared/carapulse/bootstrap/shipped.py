"""What comes with the program as files and stays as it was read: tools, recipes and rules."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from carapulse.adapters.rego.engine import RegopyEngine
from carapulse.integrations import builtin_manifests
from carapulse.kernel.errors import Invalid
from carapulse.settings import Settings
from carapulse.tools.catalogue import Catalogue
from carapulse.workflows.book import Workflows, builtin_recipes


@dataclass(frozen=True, slots=True)
class Shipped:
    """Everything that is the same for every installation with the same files; several can share it."""

    manifests: tuple[Path, ...]
    catalogue: Catalogue
    book: Workflows
    policy: RegopyEngine

    @classmethod
    def read(cls, settings: Settings, tools: Iterable[Path] | None = None) -> Self:
        """Read, compile and prove, which takes half a second; raises Invalid for what can't be trusted."""
        manifests = builtin_manifests() if tools is None else tuple(tools)
        policy = RegopyEngine(_policies(settings))
        return cls(manifests, Catalogue.load(manifests), Workflows.load(builtin_recipes()), policy)


def _policies(settings: Settings) -> Path:
    """Return the folder with decision.rego: the operator's own, or the one beside the program's source."""
    folder = settings.policies_dir or Path(__file__).resolve().parents[3] / "policies"
    if not (folder / "decision.rego").is_file():
        raise Invalid("there is no policy to ask: set CARAPULSE_POLICIES_DIR", folder=str(folder))
    return folder
