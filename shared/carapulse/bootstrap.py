"""The composition root: ports meet adapters here and nowhere else. Nothing connects before it is asked to."""

import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from sqlalchemy import Engine, text

from carapulse.adapters.files.blobs import FileBlobs
from carapulse.adapters.postgres.calendar import PostgresCalendar
from carapulse.adapters.postgres.direct import Direct
from carapulse.adapters.postgres.engine import connect, translated
from carapulse.adapters.postgres.journal import PostgresJournal
from carapulse.adapters.postgres.queue import PostgresQueue
from carapulse.adapters.postgres.sources import PostgresSourceDirectory
from carapulse.adapters.postgres.work import PostgresWork
from carapulse.adapters.processes.runner import SupervisedPrograms
from carapulse.adapters.rego.engine import RegopyEngine
from carapulse.adapters.sealing import AesGcmSealer
from carapulse.adapters.secrets.local import LocalSecrets
from carapulse.adapters.web.client import HttpxWeb
from carapulse.approvals.envelopes import ApprovalEnvelopes, refuse_production
from carapulse.approvals.store import PostgresApprovals
from carapulse.audit.keys import open_evidence_key
from carapulse.audit.note import Signer
from carapulse.audit.store import PostgresArchives, PostgresEvidence
from carapulse.deadletters.store import PostgresDeadLetters
from carapulse.executions.rechecking import Judgements
from carapulse.executions.store import PostgresDryRuns, PostgresExecutions
from carapulse.executions.versions import Versions
from carapulse.executions.watching import Watch
from carapulse.freezes.rules import RecentRules
from carapulse.freezes.store import PostgresFreezes, PostgresWindows
from carapulse.identity.issuer import DevelopmentIssuer
from carapulse.identity.tokens import TokenVerifier
from carapulse.intake.store import PostgresAlerts, PostgresDeliveries, PostgresSources
from carapulse.integrations import builtin_manifests
from carapulse.kernel.blobs import Blobs
from carapulse.kernel.call import Call
from carapulse.kernel.clock import Clock, SystemClock
from carapulse.kernel.errors import Invalid, Unavailable
from carapulse.plans.store import PostgresPlans
from carapulse.retention.store import PostgresRoom
from carapulse.schedules.store import PostgresSchedules
from carapulse.settings import Settings, environment
from carapulse.tools.catalogue import Catalogue
from carapulse.tools.connections import Connections
from carapulse.tools.toolbox import Toolbox
from carapulse.workflows.book import Workflows, builtin_recipes
from carapulse.workflows.shelf import Shelf
from carapulse.workflows.store import PostgresOwnVersions

_WRITABLE = text("SELECT current_setting('transaction_read_only') = 'off'")


class Work(PostgresWork):
    """A unit of work with every area's store in it."""

    @cached_property
    def plans(self) -> PostgresPlans:
        """The plans within this unit."""
        return PostgresPlans(self.connection, self.tenant)

    @cached_property
    def approvals(self) -> PostgresApprovals:
        """The approvals within this unit."""
        return PostgresApprovals(self.connection, self.tenant)

    @cached_property
    def executions(self) -> PostgresExecutions:
        """The executions within this unit."""
        return PostgresExecutions(self.connection, self.tenant)

    @cached_property
    def dry_runs(self) -> PostgresDryRuns:
        """What was tried out, within this unit."""
        return PostgresDryRuns(self.connection, self.tenant)

    @cached_property
    def sources(self) -> PostgresSources:
        """Who may report alerts, within this unit."""
        return PostgresSources(self.connection, self.tenant)

    @cached_property
    def deliveries(self) -> PostgresDeliveries:
        """What they reported, within this unit."""
        return PostgresDeliveries(self.connection, self.tenant)

    @cached_property
    def alerts(self) -> PostgresAlerts:
        """The alerts within this unit."""
        return PostgresAlerts(self.connection, self.tenant)

    @cached_property
    def own_versions(self) -> PostgresOwnVersions:
        """The tenant's own versions of workflows, within this unit."""
        return PostgresOwnVersions(self.connection, self.tenant)

    @property
    def workflow_uses(self) -> PostgresSchedules:
        """Who starts workflows by themselves, within this unit."""
        return self.schedules

    @cached_property
    def freezes(self) -> PostgresFreezes:
        """The freezes within this unit."""
        return PostgresFreezes(self.connection, self.tenant)

    @cached_property
    def windows(self) -> PostgresWindows:
        """The maintenance windows within this unit."""
        return PostgresWindows(self.connection, self.tenant)

    @cached_property
    def schedules(self) -> PostgresSchedules:
        """The schedules within this unit."""
        return PostgresSchedules(self.connection, self.tenant)

    @cached_property
    def evidence(self) -> PostgresEvidence:
        """The log, as evidence, within this unit."""
        return PostgresEvidence(self.connection, self.tenant)

    @cached_property
    def dead_letters(self) -> PostgresDeadLetters:
        """The messages that were given up, within this unit."""
        return PostgresDeadLetters(self.connection, self.tenant)

    @cached_property
    def archives(self) -> PostgresArchives:
        """What left the log, within this unit."""
        return PostgresArchives(self.connection, self.tenant)

    @cached_property
    def room(self) -> PostgresRoom:
        """The partitions, within this unit."""
        return PostgresRoom(self.connection)


@dataclass(frozen=True)
class App:
    """Everything that use cases ask of the world, for one installation."""

    settings: Settings
    clock: Clock
    engine: Engine
    catalogue: Catalogue
    toolbox: Toolbox
    policy: RegopyEngine
    tokens: TokenVerifier
    evidence_key: Signer
    book: Workflows
    sealer: AesGcmSealer
    source_directory: PostgresSourceDirectory
    journal: PostgresJournal
    blobs: Blobs
    envelopes: ApprovalEnvelopes = field(default_factory=ApprovalEnvelopes)
    recent_rules: RecentRules = field(default_factory=RecentRules)
    judgements: Judgements = field(default_factory=Judgements)
    versions: Versions = field(default_factory=Versions)
    stopping: threading.Event = field(default_factory=threading.Event)

    def begin(self, call: Call) -> Work:
        """Open a unit of work for the caller's tenant."""
        return Work(self.engine, call, self.clock)

    @cached_property
    def watch(self) -> Watch:
        """What looks after the attempts of this process."""
        return Watch(self.begin, self.clock, self.settings.visibility_s, self.stopping)

    @cached_property
    def workflows(self) -> Shelf:
        """The workflows of every tenant."""
        return Shelf(self.book, self.begin)

    @cached_property
    def calendar(self) -> PostgresCalendar:
        """What tells which freezes and windows were declared."""
        return PostgresCalendar(self.journal.direct)

    def close(self) -> None:
        """Let go of the database."""
        self.journal.direct.close()
        self.engine.dispose()

    def ready(self) -> Mapping[str, bool]:
        """Return each thing that is needed, and whether it answers now."""
        return {"database": self._database_answers()}

    @property
    def queue(self) -> PostgresQueue:
        """The queue's receiving side."""
        return PostgresQueue(self.engine, self.journal.direct)

    def _database_answers(self) -> bool:
        """Say whether the database answers and can be written to, which one in recovery can't."""
        try:
            with translated(), self.engine.connect() as connection:
                return bool(connection.execute(_WRITABLE).scalar_one())
        except Unavailable:
            return False


def make_app(
    settings: Settings, database_url: str, clock: Clock | None = None, tools: Iterable[Path] | None = None
) -> App:
    """Return the application for these settings; raises Invalid for any part that is missing or contradicts another."""
    told, policy = clock or SystemClock(), RegopyEngine(policies(settings))
    refuse_production(settings.self_approval_environments, policy.production)
    catalogue = Catalogue.load(builtin_manifests() if tools is None else tools)
    connections = Connections() if settings.connections_file is None else _connections(settings, catalogue)
    engine = connect(database_url, pool_size=settings.workers + 8)
    issuer = DevelopmentIssuer.load_or_make(settings.data_dir, told)
    return App(
        settings=settings,
        clock=told,
        engine=engine,
        catalogue=catalogue,
        toolbox=Toolbox(catalogue, connections, SupervisedPrograms(), HttpxWeb(), LocalSecrets(environment())),
        policy=policy,
        tokens=TokenVerifier([issuer.issuer], told),
        evidence_key=open_evidence_key(settings.data_dir),
        book=Workflows.load(builtin_recipes()),
        sealer=AesGcmSealer.load_or_make(settings.data_dir),
        source_directory=PostgresSourceDirectory(engine),
        journal=PostgresJournal(Direct(database_url)),
        blobs=FileBlobs(settings.blobs_dir or settings.data_dir / "blobs"),
    )


def policies(settings: Settings) -> Path:
    """Return the folder with decision.rego: the operator's own, or the one beside the program's source."""
    folder = settings.policies_dir or Path(__file__).resolve().parents[2] / "policies"
    if not (folder / "decision.rego").is_file():
        raise Invalid("there is no policy to ask: set CARAPULSE_POLICIES_DIR", folder=str(folder))
    return folder


def _connections(settings: Settings, catalogue: Catalogue) -> Connections:
    if settings.connections_file is None or not settings.connections_file.is_file():
        raise Invalid("CARAPULSE_CONNECTIONS_FILE names no file", file=str(settings.connections_file))
    return Connections.load(settings.connections_file, catalogue)
