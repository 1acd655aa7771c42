"""What comes with the program as files and stays as it was read: rules, tools and recipes."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Self

from carapulse.adapters.rego.engine import RegopyEngine
from carapulse.integrations import builtin_manifests
from carapulse.kernel.errors import Invalid

if TYPE_CHECKING:
    from collections.abc import Iterable

    from carapulse.settings import Settings
    from carapulse.tools.catalogue import Catalogue
    from carapulse.workflows.book import Workflows


class Shipped:
    """The same for every installation with the same files, so that several can share it.

    The rules are compiled and proven; tools and recipes are read when they are first asked for, for most functions
    never ask.
    """

    def __init__(self, policy: RegopyEngine, manifests: tuple[Path, ...]) -> None:
        self.policy = policy
        self.manifests = manifests

    @classmethod
    def read(cls, settings: Settings, tools: Iterable[Path] | None = None) -> Self:
        """Read what comes with the program, with other tools where they are given; Invalid for what can't be trusted.

        Tools that are not the program's own may be wrong, and are read at once.
        """
        policy = RegopyEngine(_policies(settings))
        if tools is None:
            return cls(policy, builtin_manifests())
        given = cls(policy, tuple(tools))
        given.prepare()
        return given

    def prepare(self) -> None:
        """Read what is not read yet, as a process does that lives long."""
        self.catalogue, self.book  # noqa: B018 - reading is what is wanted

    @cached_property
    def catalogue(self) -> Catalogue:
        """The tools that there are."""
        from carapulse.tools.catalogue import Catalogue

        return Catalogue.load(self.manifests)

    @cached_property
    def book(self) -> Workflows:
        """The workflows that come with the program."""
        from carapulse.workflows.book import Workflows, builtin_recipes

        return Workflows.load(builtin_recipes())


def _policies(settings: Settings) -> Path:
    """Return the folder with decision.rego: the operator's own, or the one beside the program's source."""
    folder = settings.policies_dir or Path(__file__).resolve().parents[3] / "policies"
    if not (folder / "decision.rego").is_file():
        raise Invalid("there is no policy to ask: set CARAPULSE_POLICIES_DIR", folder=str(folder))
    return folder
