"""Migrating a database with rows in it keeps every row, every chain and every proof as it was."""

from contextlib import contextmanager

import pytest
from tests.builders.log import App, a_call, write
from tests.conftest import Database

from carapulse.adapters.embedded.database import APP, prepare
from carapulse.adapters.embedded.postgres import over_socket
from carapulse.adapters.postgres.engine import connect
from carapulse.adapters.postgres.migrate import migrate
from carapulse.audit.chain import verify_chain
from carapulse.audit.model import EventFilter
from carapulse.audit.note import Signer
from carapulse.audit.usecases import export_bundle, list_events, make_checkpoint
from carapulse.audit.verifier import verify
from carapulse.kernel.clock import SystemClock
from carapulse.kernel.ids import new_id

SIGNER = Signer.new("carapulse.dev/log/test")
COLUMNS = {
    "streams": "*",
    "events": "position, xact, tenant, stream, seq, id, type, at, actor, trace, body, prev, hash",
    "checkpoint_leaves": "*",
    "step_lines": "n, tenant, execution_id, step_id, phase, at, line",
    "step_outputs": "tenant, execution_id, step_id, phase, fence, digest, output, text, truncated",
}
EXECUTION = new_id("exec")


@pytest.fixture
def old(postgres):
    """Give the test a database as the version before partitions left it."""
    prepare(postgres, "old")
    database = Database(postgres, "old")
    migrate(database.owner_url, APP, "0008")
    yield database
    admin = over_socket(postgres.socket)
    admin.run("DROP DATABASE old WITH (FORCE)")
    admin.close()


@contextmanager
def running(database):
    engine = connect(database.app_url)
    try:
        yield App(engine, SystemClock(), SIGNER)
    finally:
        engine.dispose()


def fill(database):
    """Write streams of two tenants, checkpoints, and what two executions said."""
    with running(database) as app:
        for tenant in ("acme", "other"):
            write(app, "plan_1", count=5, tenant=tenant)
            make_checkpoint(a_call(), app)
        write(app, "plan_2", count=2)
    with database.as_superuser() as connection:
        connection.run("SET session_replication_role = replica")  # the plan of the executions is not needed here
        for each in (EXECUTION, "elsewhere_1"):
            connection.run(
                "INSERT INTO executions VALUES ('acme', :id, 'plan_1', 'succeeded', '{}', now(), now())", id=each
            )
            connection.run(
                "INSERT INTO step_outputs VALUES ('acme', :id, 's', 'run', 1, 'd', '{\"lit\": true}', 't', false)",
                id=each,
            )
            connection.run(
                "INSERT INTO step_lines (tenant, execution_id, step_id, phase, at, line)"
                " SELECT 'acme', :id, 's', 'run', now(), 'line ' || n FROM generate_series(1, 50) n",
                id=each,
            )


def rows(database):
    with database.as_superuser() as connection:
        return {
            table: connection.run(f"SELECT {columns} FROM {table} ORDER BY {columns.replace('*', '1, 2')}")
            for table, columns in COLUMNS.items()
            if table != "events"
        } | {"events": connection.run(f"SELECT {COLUMNS['events']} FROM events ORDER BY position")}


def test_every_row_chain_and_proof_is_as_it_was(old):
    fill(old)
    with running(old) as app:
        bundle_before = export_bundle("plan_1", a_call(), app)
    before = rows(old)

    migrate(old.owner_url, APP)

    assert rows(old) == before
    assert min(map(len, before.values())) >= 2
    with running(old) as app:
        assert export_bundle("plan_1", a_call(), app) == bundle_before
        assert verify(bundle_before, str(SIGNER.key)).ok
        for tenant, stream in (("acme", "plan_1"), ("acme", "plan_2"), ("other", "plan_1")):
            page = list_events(EventFilter(stream=stream, limit=200), a_call(tenant), app)
            assert verify_chain(page.data[::-1]) == ()


def test_what_is_written_after_follows_what_was_there(old):
    fill(old)
    before = rows(old)["events"]
    migrate(old.owner_url, APP)

    with running(old) as app:
        write(app, "plan_1", count=2)
        assert verify(export_bundle("plan_1", a_call(), app), str(SIGNER.key)).ok

    after = rows(old)["events"]
    assert after[: len(before)] == before
    assert after[len(before)][0] > before[-1][0]
    with old.as_superuser() as connection:
        (follows,) = connection.run(
            "SELECT bool_and(e.lines >= l.n) FROM executions e JOIN step_lines l ON execution_id = id"
        )
    assert follows == [True]


def test_a_source_of_before_has_whoever_the_log_names_as_its_authors(old):
    with old.as_superuser() as connection:
        connection.run(
            "INSERT INTO sources VALUES ('acme', 'src_1', 'alerts', '{\"trust\": \"signed\"}', 1, now(), now()),"
            " ('acme', 'src_2', 'silent', '{\"trust\": \"signed\"}', 1, now(), now())"
        )
        for seq, (kind, actor) in enumerate(
            [("SourceRegistered", "ada"), ("CredentialIssued", "ada"), ("CredentialIssued", "olga"), ("Read", "vera")],
            1,
        ):
            connection.run(
                "INSERT INTO events (tenant, stream, seq, id, type, at, actor, trace, body, prev, hash) VALUES"
                " ('acme', 'src_1', :seq, :id, :kind, now(), :actor, '', '{}', :prev, 'sha256:0')",
                seq=seq,
                id=f"event_{seq}",
                kind=kind,
                actor=actor,
                prev="" if seq == 1 else "sha256:0",
            )

    migrate(old.owner_url, APP)

    with old.as_superuser() as connection:
        assert connection.run("SELECT id, authors FROM sources ORDER BY id") == [
            ["src_1", ["ada", "olga"]],
            ["src_2", []],
        ]
