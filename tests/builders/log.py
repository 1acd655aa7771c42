"""Builders: an application with nothing but a log, and streams in it."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import Engine, text, true

from carapulse.adapters.files.blobs import FileBlobs
from carapulse.adapters.postgres.work import PostgresWork
from carapulse.audit.note import EvidenceKey
from carapulse.audit.store import PostgresArchives, PostgresEvidence
from carapulse.audit.verifier import Key
from carapulse.kernel.blobs import Blobs
from carapulse.kernel.call import Actor, Call
from carapulse.kernel.clock import SystemClock
from carapulse.kernel.event import Event


class PlanDrafted(Event):
    digest: str = "sha256:" + "a" * 64


class StepFinished(Event):
    step: int
    output: str = "é\n😀"
    seconds: float = 1.0


class Work(PostgresWork):
    @property
    def evidence(self) -> PostgresEvidence:
        return PostgresEvidence(self.connection, self.tenant, lambda _: true())

    @property
    def archives(self) -> PostgresArchives:
        return PostgresArchives(self.connection, self.tenant)


@dataclass
class App:
    engine: Engine
    clock: SystemClock
    evidence_key: EvidenceKey
    blobs: Blobs = field(default_factory=lambda: FileBlobs(Path("/nowhere")))
    former_evidence_keys: Sequence[Key] = ()

    @property
    def archive_blobs(self) -> Blobs:
        return self.blobs

    def begin(self, call):
        return Work(self.engine, call, self.clock)


def a_call(tenant="acme", actor="ada"):
    return Call(actor=Actor(id=actor), tenant=tenant, at=datetime.now(UTC), trace="0" * 32)


def write(app, stream="plan_1", count=1, tenant="acme", actor="ada"):
    with app.begin(a_call(tenant, actor)) as work:
        if not work.connection.execute(text("SELECT 1 FROM streams WHERE stream = :name"), {"name": stream}).all():
            work.record(stream, PlanDrafted())
        for step in range(count):
            work.record(stream, StepFinished(step=step))
