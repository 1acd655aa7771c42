"""Carapulse itself, as anybody would run it: `carapulse up` as a process of its own, on a data directory of its own."""

import sys
from collections.abc import Mapping
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

import yaml

from carapulse.identity.issuer import DevelopmentIssuer
from carapulse.settings import environment
from carapulse.surfaces.cli.client import Api
from carapulse.surfaces.demo.processes import Program
from carapulse.surfaces.demo.world import World

TENANT: Final = "demo"
ENVIRONMENT: Final = "prod"
REPOSITORY: Final = "deploy"
PEOPLE: Final[Mapping[str, tuple[str, ...]]] = {
    "grace": ("admin",),
    "ada": ("sre",),
    "lin": ("approver",),
    "otto": ("auditor",),
}
"""Who takes part. Ada may approve, too, but not what she asked for herself."""

_LIFETIME: Final = timedelta(hours=1)


class Installation:
    """A running Carapulse, and each person's own way to ask it."""

    def __init__(self, folder: Path, world: World) -> None:
        self.data_dir = folder / "data"
        self._folder = folder
        self._world = world
        self._open = ExitStack()
        self._people: dict[str, Api] = {}
        self.program: Program | None = None
        self.url = ""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._open.close()
        if self.program is not None:
            self.program.stop()

    def begin(self) -> None:
        """Start it, with connections to the demo's world and to nothing else."""
        connections = self._folder / "connections.yaml"
        connections.write_text(yaml.safe_dump({"connections": _connections(self._world)}, sort_keys=False))
        command = [
            sys.executable,
            "-m",
            "carapulse.surfaces.cli",
            "up",
            "--port",
            "0",
            "--data-dir",
            str(self.data_dir),
        ]
        # Settings of the person who runs the demo are for their own installation, not for this one.
        inherited = {name: value for name, value in environment().items() if not name.startswith("CARAPULSE_")}
        inherited["CARAPULSE_CONNECTIONS_FILE"] = str(connections)
        self.program = Program.start("carapulse up", command, self._folder / "carapulse.log", inherited)

    def await_ready(self) -> None:
        """Wait until it can be used."""
        if self.program is not None:
            self.url = str(self.program.await_ready()["url"])

    def as_(self, person: str) -> Api:
        """Return the API as one person sees it, with a token of their own."""
        if person not in self._people:
            issuer = DevelopmentIssuer.load_or_make(self.data_dir)
            token = issuer.mint(TENANT, person, frozenset(PEOPLE[person]), _LIFETIME)
            self._people[person] = self._open.enter_context(Api(self.url, token))
        return self._people[person]


def _connections(world: World) -> list[dict[str, Any]]:
    match = {"tenant": TENANT, "environment": ENVIRONMENT, "service": "checkout"}
    author = {"name": "Carapulse", "email": "carapulse@shop.example"}
    repository = {"url": str(world.repository.folder), "author": author}
    reachable = [url.split("/")[2] for url in (world.service_url, world.reconciler_url)]
    return [
        {"tool": "git", "name": "deploy", "match": match, "settings": {"repositories": {REPOSITORY: repository}}},
        {"tool": "http", "name": "shop", "match": match, "may_reach": reachable},
    ]
