"""Old events leave the log for an archive, only when they may, and the evidence of them is the same as before."""

import gzip
import json
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy.exc import DBAPIError
from tests.builders.growing import SIZE, App, MovedClock, begin_partition, keeping, partitions
from tests.builders.log import a_call, write
from tests.conftest import a_folder
from tests.world.aws import an_s3

from carapulse.adapters.aws.s3 import Lock, S3Blobs
from carapulse.adapters.files.blobs import FileBlobs
from carapulse.adapters.postgres.engine import connect
from carapulse.audit.archives import Archive, Stretch
from carapulse.audit.archiving import archive_events
from carapulse.audit.chain import verify_chain
from carapulse.audit.errors import ArchiveMissing
from carapulse.audit.model import EventFilter
from carapulse.audit.note import Signer
from carapulse.audit.usecases import export_bundle, list_events, make_checkpoint
from carapulse.audit.verifier import verify
from carapulse.kernel.errors import Unavailable
from carapulse.retention.usecases import let_old_go

BEFORE = datetime.now(UTC) - timedelta(days=50)


@pytest.fixture
def empty(database):
    engine = connect(database.app_url, pool_size=4)
    with a_folder() as folder:
        made = App(engine, MovedClock(), Signer.new("carapulse.dev/log/test"), FileBlobs(folder / "blobs"))
        made.clock.by = -timedelta(days=100)
        yield made
    engine.dispose()


@pytest.fixture
def app(empty, database):
    write(empty, "plan_1", count=3)
    write(empty, "plan_1", count=2, tenant="other")
    make_checkpoint(a_call(), empty)
    begin_partition(database, 1)
    write(empty, "plan_1", count=2)
    write(empty, "src_1", count=1)
    empty.clock.by = timedelta()
    write(empty, "plan_2", count=1)
    write(empty, "src_1", count=1)
    make_checkpoint(a_call(), empty)
    return empty


def archives(app, tenant="acme"):
    with app.begin(a_call(tenant)) as work:
        return work.archives.newest_first()


def test_the_old_partition_goes_and_its_events_are_in_the_archive_of_each_tenant(app, database):
    assert archive_events(BEFORE, a_call(), app)

    assert "events_0" not in partitions(database, "events")
    assert [(each.first, each.last, each.count) for each in archives(app)] == [(1, 4, 4)]
    assert [each.count for each in archives(app, "other")] == [3]
    lines = gzip.decompress(app.blobs.get(archives(app)[0].digest)).splitlines()
    assert [json.loads(line)["seq"] for line in lines] == [1, 2, 3, 4]
    assert {json.loads(line)["tenant"] for line in lines} == {"acme"}


@pytest.mark.parametrize("stream", ["channel_1", "chat_1", "collector_1", "schedule_1", "src_1"])
def test_what_is_used_every_day_keeps_no_event_from_its_archive(empty, database, stream):
    write(empty, stream, count=2)
    make_checkpoint(a_call(), empty)
    begin_partition(database, 1)
    write(empty, stream, count=1)
    empty.clock.by = timedelta()
    write(empty, stream, count=1)
    make_checkpoint(a_call(), empty)

    archive_events(BEFORE, a_call(), empty)

    assert "events_0" not in partitions(database, "events")


def test_archives_in_a_bucket_are_locked_and_evidence_is_read_from_there(app):
    with an_s3(locking=True) as world:
        app.blobs = S3Blobs.connect(world.bucket, Lock("GOVERNANCE", 3650, app.clock))
        archive_events(BEFORE, a_call(), app)

        assert world.locked() == [("GOVERNANCE", 3650)] * 2
        assert verify(export_bundle("plan_1", a_call(), app), str(app.evidence_key.key)).ok


def test_that_it_went_is_an_event_of_each_tenant(app):
    archive_events(BEFORE, a_call(actor="scheduler"), app)

    for tenant in ("acme", "other"):
        (entry,) = list_events(EventFilter(type="EventsArchived"), a_call(tenant), app).data
        (archive,) = archives(app, tenant)
        assert (entry.stream, entry.body["digest"], entry.body["count"]) == (
            "event_archives",
            archive.digest,
            archive.count,
        )


def test_evidence_is_the_same_before_and_after(app):
    before = export_bundle("plan_1", a_call(), app)

    archive_events(BEFORE, a_call(), app)

    assert export_bundle("plan_1", a_call(), app) == before
    report = verify(before, str(app.evidence_key.key))
    assert (report.faults, report.count) == ((), 6)


def test_a_stream_that_goes_on_after_its_beginning_went_is_still_one_chain(app):
    archive_events(BEFORE, a_call(), app)
    write(app, "plan_1", count=2)

    report = verify(export_bundle("plan_1", a_call(), app), str(app.evidence_key.key))
    assert (report.faults, report.count) == ((), 8)
    live = list_events(EventFilter(stream="plan_1"), a_call(), app).data
    assert [entry.seq for entry in live] == [8, 7, 6, 5]
    assert verify_chain(live[::-1])[0].code == "missing"


def test_an_event_that_was_taken_out_by_hand_is_still_named_as_missing(app, database):
    archive_events(BEFORE, a_call(), app)
    with database.as_superuser() as connection:
        connection.run("SET session_replication_role = replica")
        connection.run("DELETE FROM events WHERE tenant = 'acme' AND stream = 'plan_1' AND seq = 5")

    faults = verify(export_bundle("plan_1", a_call(), app), str(app.evidence_key.key)).faults
    assert "missing" in [fault.reason for fault in faults]


def test_an_archive_that_is_lost_is_said_and_not_passed_over(app):
    archive_events(BEFORE, a_call(), app)
    app.blobs.delete(archives(app)[0].digest)

    with pytest.raises(ArchiveMissing):
        export_bundle("plan_1", a_call(), app)


def a_new_event(app, database):
    write(app, "plan_1")


def an_uncovered_event(app, database):
    with database.as_superuser() as connection:
        connection.run("DELETE FROM checkpoint_leaves WHERE position = 2")


def a_changed_hash(app, database):
    with database.as_superuser() as connection:
        connection.run("UPDATE events SET hash = 'sha256:' || repeat('0', 64) WHERE position = 2")


def a_young_event(app, database):
    with database.as_superuser() as connection:
        connection.run("UPDATE events SET at = now() WHERE position = 1")


@pytest.mark.parametrize("reason", [a_new_event, an_uncovered_event, a_changed_hash, a_young_event])
def test_it_stays_because_of(app, database, reason):
    reason(app, database)

    assert not archive_events(BEFORE, a_call(), app)
    assert "events_0" in partitions(database, "events")
    with pytest.raises(Unavailable, check=lambda problem: problem.facts["sqlstate"] == "40001"):
        drop(app, Stretch(low=0, high=SIZE, tenants=()))


def test_a_partition_that_is_not_full_stays_however_old_it_is(app, database):
    archive_events(BEFORE, a_call(), app)
    make_checkpoint(a_call(), app)
    with database.as_superuser() as connection:
        connection.run("UPDATE events SET at = now() - interval '100 days'")

    assert not archive_events(BEFORE, a_call(), app)
    assert "events_1" in partitions(database, "events")


def drop(app, stretch):
    with app.begin(a_call()) as work:
        work.archives.drop(stretch, BEFORE)


def a_stretch(app):
    with app.begin(a_call()) as work:
        return work.archives.may_go(BEFORE)


def archived(app, tenant="acme", *, leave_out=0, change=None):
    """Note an archive of a tenant's events as it should be, or wrong."""
    stretch = a_stretch(app)
    with app.begin(a_call(tenant)) as work:
        entries = work.archives.next_of(stretch, 100)
        made = Archive.of(entries[leave_out:], "sha256:" + "0" * 64, app.clock.now())
        work.archives.add(made.model_copy(update=change or {}))
    return stretch


@pytest.mark.parametrize(
    "wrong",
    [{"leave_out": 1}, {"change": {"contents": "sha256:" + "0" * 64}}, {"change": {"count": 3}}],
    ids=["an event left out", "other contents", "another count"],
)
def test_the_database_lets_nothing_go_that_is_not_archived_as_it_is(app, database, wrong):
    stretch = archived(app, "other")
    archived(app, "acme", **wrong)

    with pytest.raises(DBAPIError, match="not archived, or not as they are"):
        drop(app, stretch)
    assert "events_0" in partitions(database, "events")


def test_the_database_lets_nothing_go_while_a_tenant_has_no_archive(app):
    stretch = archived(app, "acme")

    with pytest.raises(DBAPIError, match="not archived"):
        drop(app, stretch)
    archived(app, "other")
    drop(app, stretch)


def test_after_a_crash_it_goes_on_and_archives_nothing_twice(app, database):
    archived(app, "acme")

    assert archive_events(BEFORE, a_call(), app)
    assert [len(archives(app, tenant)) for tenant in ("acme", "other")] == [1, 1]
    drop_again = a_stretch(app)
    assert drop_again is None


def test_somebody_who_reads_the_log_is_waited_for_a_moment_only(app, database):
    with database.as_superuser() as reader:
        reader.run("BEGIN")
        reader.run("SELECT count(*) FROM events")
        with pytest.raises(Unavailable):
            archive_events(BEFORE, a_call(), app)
        reader.run("COMMIT")

    assert archive_events(BEFORE, a_call(), app)


def test_an_archive_is_its_tenants_alone(app):
    archive_events(BEFORE, a_call(), app)

    with app.begin(a_call("third")) as work:
        assert work.archives.newest_first() == []


def test_the_minutes_work_archives_when_the_operator_wants_it(app, database):
    let_old_go(a_call(), app)
    assert "events_0" in partitions(database, "events")

    app.settings = keeping(events=50)
    let_old_go(a_call(), app)
    assert "events_0" not in partitions(database, "events")
