"""The composition root: ports meet adapters here and nowhere else. Nothing connects before it is asked to.

And what only some functions need is neither imported nor read before it is asked for.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, cached_property, partial
from typing import TYPE_CHECKING

from sqlalchemy import Engine, text

from carapulse.adapters.postgres.direct import Direct
from carapulse.adapters.postgres.engine import connect, translated
from carapulse.adapters.postgres.rates import PostgresRates
from carapulse.adapters.rego.engine import RegopyEngine
from carapulse.bootstrap.believing import bearers_of
from carapulse.bootstrap.changing import Changing
from carapulse.bootstrap.clouds import broker_of, machines_of
from carapulse.bootstrap.database import app_door
from carapulse.bootstrap.directories import Directories
from carapulse.bootstrap.following import Followed
from carapulse.bootstrap.keeping import archive_blobs_of, blobs_of
from carapulse.bootstrap.keys import evidence_key_of, former_keys_of, sealer_of
from carapulse.bootstrap.shipped import Shipped
from carapulse.bootstrap.stores import secrets_of
from carapulse.bootstrap.telling import Teller
from carapulse.bootstrap.work import Work
from carapulse.identity.refusals import RefusalLog
from carapulse.kernel.clock import Clock, SystemClock
from carapulse.kernel.errors import Invalid, Unavailable
from carapulse.rates.model import Quota, Quotas, RateClass
from carapulse.rates.spending import Rates

if TYPE_CHECKING:
    from carapulse.adapters.postgres.outbox import PostgresOutbox
    from carapulse.adapters.postgres.queue import PostgresQueue
    from carapulse.adapters.sealing import AesGcmSealer
    from carapulse.audit.note import EvidenceKey
    from carapulse.audit.verifier import Key
    from carapulse.broker.relay import Relay
    from carapulse.identity.bearers import Bearers
    from carapulse.kernel.blobs import Blobs
    from carapulse.kernel.call import Call
    from carapulse.orchestration.ports import Machines
    from carapulse.settings import Settings
    from carapulse.tools.catalogue import Catalogue
    from carapulse.tools.connections import Connections
    from carapulse.tools.toolbox import Toolbox

_COUNTING_PATIENCE_S = 5.0  # every request that has to borrow waits as long as the database hangs
_WRITABLE = text("SELECT current_setting('transaction_read_only') = 'off'")


@dataclass(frozen=True)
class App(Followed, Teller, Directories, Changing):
    """Everything that use cases ask of the world, for one installation."""

    settings: Settings
    clock: Clock
    engine: Engine
    direct: Direct
    shipped: Shipped
    policy: RegopyEngine
    read_toolbox: Callable[[], Toolbox]
    tokens: Bearers
    evidence_key: EvidenceKey
    former_evidence_keys: Sequence[Key]
    sealer: AesGcmSealer
    blobs: Blobs
    archive_blobs: Blobs
    rates: Rates
    counting: Direct
    relay: Relay | None = None
    configured_machines: Machines | None = None
    stopping: threading.Event = field(default_factory=threading.Event)

    def begin(self, call: Call) -> Work:
        """Open a unit of work for the caller's tenant."""
        sent = None if self.relay is None else self.relay.after_commit
        if self.configured_machines is None:
            return Work(self.engine, call, self.clock, sent)
        from carapulse.orchestration.messages import bells_for

        return Work(self.engine, call, self.clock, sent, bells_for)

    @property
    def machines(self) -> Machines:
        """The state machines that carry changes; Invalid where there are none."""
        if self.configured_machines is None:
            raise Invalid("no state machine carries changes here: CARAPULSE_ORCHESTRATOR names none")
        return self.configured_machines

    @cached_property
    def refusals(self) -> RefusalLog:
        """What puts refusals into the log."""
        return RefusalLog(self.begin, self.clock)

    def close(self) -> None:
        """Let go of the database."""
        self.direct.close()
        self.counting.close()
        self.engine.dispose()

    def ready(self) -> Mapping[str, bool]:
        """Return each thing that is needed, and whether it answers now."""
        return {"database": self._database_answers()}

    @property
    def queue(self) -> PostgresQueue:
        """The queue's receiving side."""
        from carapulse.adapters.postgres.queue import PostgresQueue

        return PostgresQueue(self.engine, self.direct)

    @property
    def outbox(self) -> PostgresOutbox:
        """The messages that a broker is to bring, or has."""
        from carapulse.adapters.postgres.outbox import PostgresOutbox

        return PostgresOutbox(self.direct)

    def _database_answers(self) -> bool:
        """Say whether the database answers and can be written to, which one in recovery can't."""
        try:
            with translated(), self.engine.connect() as connection:
                return bool(connection.execute(_WRITABLE).scalar_one())
        except Unavailable:
            return False


def make_app(settings: Settings, database_url: str, clock: Clock | None = None, shipped: Shipped | None = None) -> App:
    """Return the application for these settings; raises Invalid for any part that is missing or contradicts another."""
    told, shipped = clock or SystemClock(), shipped or Shipped.read(settings)
    _refuse_production(settings, shipped.policy)
    read_toolbox = cache(partial(_toolbox, settings, shipped))
    if settings.connections_file is not None:
        read_toolbox()  # somebody wrote it, who must hear of a mistake now
    engine, direct, counting = _connected(settings, database_url)
    sealer = sealer_of(settings, secrets_of(settings))
    return App(
        settings=settings,
        clock=told,
        engine=engine,
        direct=direct,
        shipped=shipped,
        policy=shipped.policy,
        read_toolbox=read_toolbox,
        tokens=bearers_of(settings, engine, sealer, told),
        evidence_key=evidence_key_of(settings),
        former_evidence_keys=former_keys_of(settings),
        sealer=sealer,
        blobs=blobs_of(settings),
        archive_blobs=archive_blobs_of(settings, told),
        rates=Rates(PostgresRates(counting), quotas(settings)),
        counting=counting,
        relay=_relay(settings, direct, sealer),
        configured_machines=machines_of(settings),
    )


def _refuse_production(settings: Settings, policy: RegopyEngine) -> None:
    if settings.self_approval_environments:
        from carapulse.approvals.envelopes import refuse_production

        refuse_production(settings.self_approval_environments, policy.production)


def _connected(settings: Settings, database_url: str) -> tuple[Engine, Direct, Direct]:
    """Return the ways to the database: for units of work, for the hot path, and for what must not wait for either."""
    door = app_door(settings, database_url)
    return connect(door, pool_size=settings.workers + 8), Direct(door), Direct(door, _COUNTING_PATIENCE_S)


def _toolbox(settings: Settings, shipped: Shipped) -> Toolbox:
    from carapulse.adapters.processes.runner import SupervisedPrograms
    from carapulse.adapters.web.client import HttpxWeb
    from carapulse.tools.toolbox import Toolbox

    catalogue = shipped.catalogue
    return Toolbox(catalogue, _connections(settings, catalogue), SupervisedPrograms(), HttpxWeb(), secrets_of(settings))


def _relay(settings: Settings, direct: Direct, sealer: AesGcmSealer) -> Relay | None:
    """Return what publishes to the broker that brings messages, or None where workers take them from the database."""
    broker = broker_of(settings)
    if broker is None:
        return None
    from carapulse.adapters.postgres.outbox import PostgresOutbox
    from carapulse.broker.relay import Relay

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


def _connections(settings: Settings, catalogue: Catalogue) -> Connections:
    from carapulse.tools.connections import Connections

    if settings.connections_file is None:
        return Connections()
    if not settings.connections_file.is_file():
        raise Invalid("CARAPULSE_CONNECTIONS_FILE names no file", file=str(settings.connections_file))
    return Connections.load(settings.connections_file, catalogue)
