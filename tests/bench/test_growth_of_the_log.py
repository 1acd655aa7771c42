"""What a full database costs beside a small one, and an event beside what it cost before. Run by `make growth`.

GROWTH_EVENTS says how many events the full one has, a multiple of a thousand. Numbers, not verdicts.
"""

import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

import pytest
from tests.bench.figures import middle
from tests.bench.measuring import timed
from tests.builders.asked import TENANT, questions
from tests.builders.generated import fill
from tests.builders.growing import SIZE, App, MovedClock
from tests.builders.log import a_call, write
from tests.conftest import Database, a_folder

from carapulse.adapters.embedded.database import APP, prepare
from carapulse.adapters.embedded.postgres import EmbeddedPostgres
from carapulse.adapters.files.blobs import FileBlobs
from carapulse.adapters.postgres.engine import connect
from carapulse.adapters.postgres.migrate import migrate
from carapulse.audit.archives import Stretch, packed, unpacked
from carapulse.audit.note import Signer
from carapulse.kernel.ids import new_id

pytestmark = pytest.mark.timeout(7200)
EVENTS = int(os.environ.get("GROWTH_EVENTS", "10000000"))
FEW, ROUNDS, BATCH, BATCHES = 100_000, 25, 20_000, 9
_BATCH = """
INSERT INTO events (tenant, stream, seq, id, type, at, actor, trace, body, prev, hash)
SELECT 'tenant_' || n % 20, '{name}_' || n % 20 || '_' || n / 400, n, '{name}_' || n,
    (ARRAY['StepStarted', 'StepFinished'])[n % 2 + 1], now(), 'actor_' || n % 50, repeat('0', 32),
    jsonb_build_object('step_id', 'step_' || n % 10, 'output', md5(n::text)),
    'sha256:' || md5(n::text) || md5(n::text), 'sha256:' || md5(n::text) || md5(n::text)
FROM generate_series(2, {many} + 1) n
"""


@dataclass(frozen=True)
class Installation:
    """A database, and the application on it."""

    database: Database
    app: App


@pytest.fixture(scope="module")
def server() -> Iterator[EmbeddedPostgres]:
    with a_folder() as folder:
        server = EmbeddedPostgres.start(folder)
        yield server
        server.stop()


@pytest.fixture
def install(server) -> Iterator[Callable[..., Installation]]:
    made: list[Installation] = []

    def installation(name: str, revision: str = "head") -> Installation:
        prepare(server, name)
        database = Database(server, name)
        migrate(database.owner_url, APP, revision)
        signer, blobs = Signer.new("carapulse.dev/log/bench"), FileBlobs(server.socket.parents[1] / "blobs")
        made.append(Installation(database, App(connect(database.app_url), MovedClock(), signer, blobs)))
        return made[-1]

    yield installation
    for each in made:
        each.app.engine.dispose()


def filled(made: Installation, events: int) -> Installation:
    began = time.perf_counter()
    fill(made.database, events, lambda done: print(f"{done:12,} events after {time.perf_counter() - began:5.0f} s"))
    return made


def seconds(prepare_question, app) -> float:
    question = prepare_question(app)
    return timed(lambda: question(app))


def test_a_full_database_is_asked_as_fast_as_a_small_one(install):
    print()
    small, full = filled(install("small"), FEW), filled(install("grown"), EVENTS)
    print(f"\n{'':34}{'small':>9}{'full':>9}{'full/small':>12}      of {FEW:,} and {EVENTS:,} events")
    for name, prepare_question in questions().items():
        times: dict[str, list[float]] = {"small": [], "full": []}
        for number in range(ROUNDS + 3):
            for kind, installation in (("small", small), ("full", full)):
                took = seconds(prepare_question, installation.app)
                if number >= 3:
                    times[kind].append(took)
        before, after = middle(times["small"]), middle(times["full"])
        print(f"{name:34}{before * 1000:6.2f} ms{after * 1000:6.2f} ms{after / before:12.2f}")
    print_sizes(full.database)


def print_sizes(database):
    query = (
        "SELECT coalesce(inhparent::regclass::text, c.oid::regclass::text) AS name, sum(pg_total_relation_size(c.oid))"
        " FROM pg_class c LEFT JOIN pg_inherits ON inhrelid = c.oid WHERE relkind = 'r'"
        " AND relnamespace = 'public'::regnamespace GROUP BY 1 HAVING sum(pg_total_relation_size(c.oid)) > 1000000"
    )
    with database.as_superuser() as connection:
        for name, size in sorted(connection.run(query)):
            print(f"{name:34}{float(size) / EVENTS:10.0f} bytes for each event")


def written(installation, name) -> tuple[float, float]:
    """Return the seconds and the bytes of log that a batch of events costs."""
    with installation.database.as_superuser() as connection:
        (before,) = connection.run("SELECT pg_current_wal_insert_lsn() - '0/0'")[0]
        took = timed(lambda: connection.run(_BATCH.format(name=name, many=BATCH)))
        (after,) = connection.run("SELECT pg_current_wal_insert_lsn() - '0/0'")[0]
        connection.run("CHECKPOINT")
    return took, float(after - before)


def write_fifty(app):
    for _ in range(50):
        write(app, new_id("plan"), tenant=TENANT)


def test_what_an_event_costs_beside_what_it_cost_in_one_table(install):
    kinds = {"before": install("before", "0008"), "now": install("now")}
    found: dict[str, list[tuple[float, float, float]]] = {kind: [] for kind in kinds}
    for number in range(BATCHES):
        for kind, installation in kinds.items():
            found[kind].append(
                (*written(installation, f"batch_{number}"), timed(partial(write_fifty, installation.app)))
            )
    print("\nan event now / before partitions")
    for place, name in enumerate(("in a batch, time", "in a batch, write-ahead log", "through the unit of work, time")):
        before, now = (middle([each[place] for each in found[kind]]) for kind in ("before", "now"))
        print(f"{name:34}{now / before:10.2f}")


def test_what_an_archive_of_fifty_thousand_events_costs(install):
    installation = install("archive")
    with installation.database.as_superuser() as connection:
        batch = _BATCH.format(name="archived", many=50_000)
        connection.run(batch.replace("SELECT 'tenant_' || n % 20", f"SELECT '{TENANT}'"))
    with installation.app.begin(a_call(TENANT)) as work:
        entries = work.archives.next_of(Stretch(low=0, high=SIZE, tenants=(TENANT,)), 50_000)
    content = packed(entries)
    print(f"\n{len(entries):,} events: {len(content) / len(entries):.0f} bytes for each in the archive")
    print(f"packed in {timed(lambda: packed(entries)):.2f} s")
    print(f"looked through for one stream in {timed(lambda: list(unpacked(content, 'none'))):.2f} s")
