"""The application as plans, workflows and approvals see it: everything real, but a clock that tests move."""

import secrets
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, text
from tests.builders.plans import NOON, a_call
from tests.builders.rates import HttpChosen, unlimited

from carapulse.adapters.postgres.calendar import PostgresCalendar
from carapulse.adapters.sealing import AesGcmSealer
from carapulse.approvals.envelopes import ApprovalEnvelopes
from carapulse.audit.model import EventFilter, SealedEntry
from carapulse.bootstrap.glancing import PostgresGlances
from carapulse.bootstrap.work import Work
from carapulse.integrations import builtin_manifests
from carapulse.kernel.call import Call
from carapulse.policy.ports import PolicyEngine
from carapulse.rates.spending import Rates
from carapulse.tools.catalogue import Catalogue
from carapulse.workflows.book import Workflows, builtin_recipes
from carapulse.workflows.shelf import Shelf

LAMPS = Path(__file__).parent / "lamps" / "manifest.yaml"
CATALOGUE = Catalogue.load([*builtin_manifests(), LAMPS])
WORKFLOWS = Workflows.load(builtin_recipes())


@dataclass
class MovableClock:
    """A clock that stands still until a test moves it."""

    at: datetime = NOON

    def now(self) -> datetime:
        return self.at

    def move(self, by: timedelta) -> None:
        self.at += by


@dataclass(frozen=True)
class Chosen(HttpChosen):
    """What an installation chose."""

    self_approval_environments: frozenset[str] = frozenset()


@dataclass(frozen=True)
class ByEngine:
    """Runs the statements of the hot path on connections of the engine."""

    engine: Engine

    def run(self, statement: str, **parameters: object) -> list[list[Any]]:
        with self.engine.connect() as connection:
            return [list(row) for row in connection.execute(text(statement), parameters)]


@dataclass(frozen=True)
class Application:
    """What the use cases ask of the world."""

    engine: Engine
    policy: PolicyEngine
    clock: MovableClock = field(default_factory=MovableClock)
    catalogue: Catalogue = CATALOGUE
    book: Workflows = WORKFLOWS
    envelopes: ApprovalEnvelopes = field(default_factory=ApprovalEnvelopes)
    settings: Chosen = field(default_factory=Chosen)
    rates: Rates = field(default_factory=unlimited)
    sealer: AesGcmSealer = field(default_factory=lambda: AesGcmSealer(secrets.token_bytes(32)))

    @property
    def workflows(self) -> Shelf:
        return Shelf(self.book, self.begin)

    @property
    def calendar(self) -> PostgresCalendar:
        return PostgresCalendar(ByEngine(self.engine))

    @property
    def glances(self) -> PostgresGlances:
        return PostgresGlances(self.engine)

    def begin(self, call: Call) -> Work:
        return Work(self.engine, call, self.clock)

    def happened(self, stream: str, tenant: str = "acme") -> list[SealedEntry]:
        """Return the events of a stream, in order."""
        with self.begin(a_call(tenant=tenant)) as work:
            return list(reversed(work.evidence.page(EventFilter(stream=stream, limit=200)).data))
