"""The composition root: ports meet adapters here and nowhere else. Nothing connects before it is asked to."""

import threading
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from sqlalchemy import Engine, text

from carapulse.adapters.postgres.calendar import PostgresCalendar
from carapulse.adapters.postgres.collectors import PostgresCollectorBook
from carapulse.adapters.postgres.direct import Direct
from carapulse.adapters.postgres.engine import connect, translated
from carapulse.adapters.postgres.journal import PostgresJournal
from carapulse.adapters.postgres.machines import PostgresMachineBook
from carapulse.adapters.postgres.outbox import PostgresOutbox
from carapulse.adapters.postgres.queue import PostgresQueue
from carapulse.adapters.postgres.rates import PostgresRates
from carapulse.adapters.postgres.schedules import PostgresScheduleBook
from carapulse.adapters.postgres.sealed import PostgresSealingBook
from carapulse.adapters.postgres.sources import PostgresSourceDirectory
from carapulse.adapters.postgres.tickets import PostgresTicketDirectory
from carapulse.adapters.postgres.workspaces import PostgresWorkspaceDirectory
from carapulse.adapters.processes.runner import SupervisedPrograms
from carapulse.adapters.rego.engine import RegopyEngine
from carapulse.adapters.sealing import AesGcmSealer
from carapulse.adapters.slack.replies import SlackReplies
from carapulse.adapters.web.client import HttpxWeb
from carapulse.approvals.envelopes import ApprovalEnvelopes, refuse_production
from carapulse.audit.note import EvidenceKey
from carapulse.audit.verifier import Key
from carapulse.bootstrap.believing import bearers_of
from carapulse.bootstrap.clouds import broker_of, machines_of
from carapulse.bootstrap.database import app_door
from carapulse.bootstrap.following import Followed
from carapulse.bootstrap.glancing import PostgresGlances
from carapulse.bootstrap.keeping import archive_blobs_of, blobs_of
from carapulse.bootstrap.keys import evidence_key_of, former_keys_of, sealer_of
from carapulse.bootstrap.stores import secrets_of
from carapulse.bootstrap.telling import Teller
from carapulse.bootstrap.work import Work
from carapulse.broker.relay import Relay
from carapulse.collection.definitions import Definitions
from carapulse.executions.rechecking import Judgements
from carapulse.executions.versions import Versions
from carapulse.executions.watching import Watch
from carapulse.freezes.rules import RecentRules
from carapulse.identity.bearers import Bearers
from carapulse.identity.refusals import RefusalLog
from carapulse.integrations import builtin_manifests
from carapulse.kernel.blobs import Blobs
from carapulse.kernel.call import Call
from carapulse.kernel.clock import Clock, SystemClock
from carapulse.kernel.errors import Invalid, Unavailable
from carapulse.orchestration.messages import bells_for
from carapulse.orchestration.ports import Machines
from carapulse.rates.model import Quota, Quotas, RateClass
from carapulse.rates.spending import Rates
from carapulse.settings import Settings
from carapulse.tools.catalogue import Catalogue
from carapulse.tools.connections import Connections
from carapulse.tools.toolbox import Toolbox
from carapulse.workflows.book import Workflows, builtin_recipes
from carapulse.workflows.shelf import Shelf

_COUNTING_PATIENCE_S = 5.0  # every request that has to borrow waits as long as the database hangs
_WRITABLE = text("SELECT current_setting('transaction_read_only') = 'off'")


@dataclass(frozen=True)
class App(Followed, Teller):
    """Everything that use cases ask of the world, for one installation."""

    settings: Settings
    clock: Clock
    engine: Engine
    catalogue: Catalogue
    toolbox: Toolbox
    policy: RegopyEngine
    tokens: Bearers
    evidence_key: EvidenceKey
    former_evidence_keys: Sequence[Key]
    book: Workflows
    sealer: AesGcmSealer
    source_directory: PostgresSourceDirectory
    ticket_directory: PostgresTicketDirectory
    journal: PostgresJournal
    blobs: Blobs
    archive_blobs: Blobs
    rates: Rates
    counting: Direct
    manifests: tuple[Path, ...]
    relay: Relay | None = None
    configured_machines: Machines | None = None
    envelopes: ApprovalEnvelopes = field(default_factory=ApprovalEnvelopes)
    recent_rules: RecentRules = field(default_factory=RecentRules)
    judgements: Judgements = field(default_factory=Judgements)
    versions: Versions = field(default_factory=Versions)
    stopping: threading.Event = field(default_factory=threading.Event)

    def begin(self, call: Call) -> Work:
        """Open a unit of work for the caller's tenant."""
        sent = None if self.relay is None else self.relay.after_commit
        bells = None if self.configured_machines is None else bells_for
        return Work(self.engine, call, self.clock, sent, bells)

    @cached_property
    def glances(self) -> PostgresGlances:
        """What looks at plans."""
        return PostgresGlances(self.engine)

    @property
    def machines(self) -> Machines:
        """The state machines that carry changes; Invalid where there are none."""
        if self.configured_machines is None:
            raise Invalid("no state machine carries changes here: CARAPULSE_ORCHESTRATOR names none")
        return self.configured_machines

    @property
    def workspace_directory(self) -> PostgresWorkspaceDirectory:
        """What knows whose a workspace of a chat is."""
        return PostgresWorkspaceDirectory(self.engine)

    @property
    def sealing_book(self) -> PostgresSealingBook:
        """What tells which sealing key made what is kept."""
        return PostgresSealingBook(self.journal.direct.where)

    @property
    def chat_replies(self) -> SlackReplies:
        """What speaks Slack's language."""
        return SlackReplies(self.web)

    @property
    def machine_book(self) -> PostgresMachineBook:
        """The machines that the clock looks after."""
        return PostgresMachineBook(self.journal.direct)

    @property
    def schedule_book(self) -> PostgresScheduleBook:
        """The schedules that the clock looks after."""
        return PostgresScheduleBook(self.journal.direct)

    @property
    def collector_book(self) -> PostgresCollectorBook:
        """The collectors that the clock has run."""
        return PostgresCollectorBook(self.journal.direct)

    @cached_property
    def definitions(self) -> Definitions:
        """What collectors do, read when one is first asked for: most functions never ask."""
        return Definitions.beside(self.manifests, self.catalogue)

    @cached_property
    def refusals(self) -> RefusalLog:
        """What puts refusals into the log."""
        return RefusalLog(self.begin, self.clock)

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
        self.counting.close()
        self.engine.dispose()

    def ready(self) -> Mapping[str, bool]:
        """Return each thing that is needed, and whether it answers now."""
        return {"database": self._database_answers()}

    @property
    def queue(self) -> PostgresQueue:
        """The queue's receiving side."""
        return PostgresQueue(self.engine, self.journal.direct)

    @property
    def outbox(self) -> PostgresOutbox:
        """The messages that a broker is to bring, or has."""
        return PostgresOutbox(self.journal.direct)

    def _database_answers(self) -> bool:
        """Say whether the database answers and can be written to, which one in recovery can't."""
        try:
            with translated(), self.engine.connect() as connection:
                return bool(connection.execute(_WRITABLE).scalar_one())
        except Unavailable:
            return False


def make_app(
    settings: Settings,
    database_url: str,
    clock: Clock | None = None,
    tools: Iterable[Path] | None = None,
    policy: RegopyEngine | None = None,
) -> App:
    """Return the application for these settings; raises Invalid for any part that is missing or contradicts another.

    Rules that are compiled already can be given: compiling and proving them takes a fifth of a second.
    """
    told, policy = clock or SystemClock(), policy or RegopyEngine(policies(settings))
    refuse_production(settings.self_approval_environments, policy.production)
    catalogue = Catalogue.load(manifests := builtin_manifests() if tools is None else tuple(tools))
    engine, direct, counting = _connected(settings, database_url)
    sealer = sealer_of(settings, secrets_of(settings))
    relay = _relay(settings, direct, sealer)
    return App(
        settings=settings,
        clock=told,
        engine=engine,
        catalogue=catalogue,
        toolbox=_toolbox(settings, catalogue),
        policy=policy,
        tokens=bearers_of(settings, engine, sealer, told),
        evidence_key=evidence_key_of(settings),
        former_evidence_keys=former_keys_of(settings),
        book=Workflows.load(builtin_recipes()),
        sealer=sealer,
        source_directory=PostgresSourceDirectory(engine),
        ticket_directory=PostgresTicketDirectory(engine),
        journal=PostgresJournal(direct, None if relay is None else relay.after_commit),
        blobs=blobs_of(settings),
        archive_blobs=archive_blobs_of(settings, told),
        rates=Rates(PostgresRates(counting), quotas(settings)),
        counting=counting,
        manifests=manifests,
        relay=relay,
        configured_machines=machines_of(settings),
    )


def _connected(settings: Settings, database_url: str) -> tuple[Engine, Direct, Direct]:
    """Return the ways to the database: for units of work, for the hot path, and for what must not wait for either."""
    door = app_door(settings, database_url)
    return connect(door, pool_size=settings.workers + 8), Direct(door), Direct(door, _COUNTING_PATIENCE_S)


def _toolbox(settings: Settings, catalogue: Catalogue) -> Toolbox:
    connections = Connections() if settings.connections_file is None else _connections(settings, catalogue)
    return Toolbox(catalogue, connections, SupervisedPrograms(), HttpxWeb(), secrets_of(settings))


def _relay(settings: Settings, direct: Direct, sealer: AesGcmSealer) -> Relay | None:
    """Return what publishes to the broker that brings messages, or None where workers take them from the database."""
    broker = broker_of(settings)
    if broker is None:
        return None
    return Relay(PostgresOutbox(direct), broker, sealer, sorted(settings.queue_addresses))


def quotas(settings: Settings) -> Quotas:
    """Return how often who may ask, for each class of requests."""
    return {
        RateClass.READ: Quota(settings.rate_read, settings.rate_read_tenant),
        RateClass.WRITE: Quota(settings.rate_write, settings.rate_write_tenant),
        RateClass.START: Quota(settings.rate_start, settings.rate_start_tenant),
        RateClass.STREAM: Quota(settings.rate_stream, settings.rate_stream_tenant),
        RateClass.WEBHOOK: Quota(settings.rate_webhook),
    }


def policies(settings: Settings) -> Path:
    """Return the folder with decision.rego: the operator's own, or the one beside the program's source."""
    folder = settings.policies_dir or Path(__file__).resolve().parents[3] / "policies"
    if not (folder / "decision.rego").is_file():
        raise Invalid("there is no policy to ask: set CARAPULSE_POLICIES_DIR", folder=str(folder))
    return folder


def _connections(settings: Settings, catalogue: Catalogue) -> Connections:
    if settings.connections_file is None or not settings.connections_file.is_file():
        raise Invalid("CARAPULSE_CONNECTIONS_FILE names no file", file=str(settings.connections_file))
    return Connections.load(settings.connections_file, catalogue)
