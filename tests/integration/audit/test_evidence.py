"""Checkpoints cover each event exactly once, whoever writes meanwhile, and what is exported verifies."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from sqlalchemy import text
from sqlalchemy.exc import ProgrammingError
from tests.builders.log import App, PlanDrafted, a_call, write

from carapulse.adapters.postgres.engine import connect
from carapulse.audit.chain import verify_chain
from carapulse.audit.errors import EvidencePending, NoSuchCheckpoint, NoSuchEvidence
from carapulse.audit.model import EventFilter, SealedEntry
from carapulse.audit.note import Signer
from carapulse.audit.usecases import export_bundle, latest_checkpoint, list_events, make_checkpoint
from carapulse.audit.verifier import verify
from carapulse.kernel.clock import SystemClock
from carapulse.kernel.cursor import CursorInvalid
from carapulse.kernel.event import Event
from carapulse.kernel.ids import new_id

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.fixture
def app(database):
    engine = connect(database.app_url, pool_size=16)
    yield App(engine, SystemClock(), Signer.new("carapulse.dev/log/test"))
    engine.dispose()


@pytest.fixture
def owner(database):
    engine = connect(database.owner_url)
    with engine.connect() as connection:
        yield connection
    engine.dispose()


def ask(app, query, tenant="acme"):
    with app.begin(a_call(tenant)) as work:
        return work.connection.execute(text(query)).all()


def verified(app, plan_id="plan_1", tenant="acme"):
    return verify(export_bundle(plan_id, a_call(tenant), app), str(app.evidence_key.key))


def test_what_is_exported_verifies(app):
    write(app, "plan_2", count=3, tenant="other")
    write(app, "plan_1", count=3)

    report = verified(app)
    assert report.faults == ()
    assert (report.plan_id, report.tenant, report.count) == ("plan_1", "acme", 4)


numbers = st.integers(1 - 2**53, 2**53 - 1) | st.floats(allow_nan=False, allow_infinity=False)
texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=20)
values = st.recursive(
    st.none() | st.booleans() | numbers | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=8,
)


class AnythingSeen(Event):
    value: Any


@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(values, min_size=20, max_size=20))
@example([1e16, -1e22, 1.7976931348623157e308, 5e-324, -0.0, 1.0, 2**53 - 1, 0.1, 1e-7, 123456789012345680.0])
def test_any_value_comes_back_from_the_database_as_it_was_hashed(app, found):
    stream = new_id("any")
    with app.begin(a_call()) as work:
        for value in found:
            work.record(stream, AnythingSeen(value=value))

    page = list_events(EventFilter(stream=stream, limit=200), a_call(), app)
    assert verify_chain(page.data[::-1]) == ()


def test_evidence_grows_over_several_checkpoints_and_still_verifies(app):
    for _ in range(3):
        write(app, "plan_1", count=2)
        write(app, "plan_2", count=1, tenant="other")
        make_checkpoint(a_call(), app)

    report = verified(app)
    assert report.faults == ()
    assert report.count == 7
    assert len(report.checkpoints) == 3


def test_taking_evidence_is_recorded(app):
    write(app)
    export_bundle("plan_1", a_call(actor="eve"), app)

    (entry,) = list_events(EventFilter(type="EvidenceExported"), a_call(), app).data
    assert (entry.actor, entry.body["plan_id"], entry.body["count"]) == ("eve", "plan_1", 2)


def test_a_plan_of_another_tenant_is_not_there(app):
    write(app, "plan_1", tenant="other")

    with pytest.raises(NoSuchEvidence):
        export_bundle("plan_1", a_call("acme"), app)


def test_no_checkpoint_is_made_over_nothing(app):
    assert make_checkpoint(a_call(), app) is None
    with pytest.raises(NoSuchCheckpoint):
        latest_checkpoint(a_call(), app)

    write(app)
    made = make_checkpoint(a_call(), app)
    assert made is not None
    assert latest_checkpoint(a_call(), app) == made
    assert make_checkpoint(a_call(), app) is None


def test_checkpoints_cover_each_event_exactly_once_while_many_write(app):
    def work(number):
        for _ in range(6):
            write(app, f"plan_{number % 5}", count=3, tenant=f"tenant_{number % 3}")
            make_checkpoint(a_call(), app)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(work, range(8)))
    while make_checkpoint(a_call(), app):
        pass

    written = sum(ask(app, "SELECT count(*) FROM events", f"tenant_{number}")[0][0] for number in range(3))
    leaves = ask(app, "SELECT checkpoint, leaf, hash FROM checkpoint_leaves ORDER BY checkpoint, leaf")
    sizes = dict(ask(app, "SELECT number, size FROM checkpoints"))
    assert len(leaves) == written == sum(sizes.values()) > 144
    assert sorted(sizes) == list(range(1, len(sizes) + 1))
    assert all(verified(app, f"plan_{n}", f"tenant_{t}").ok for n, t in {(n % 5, n % 3) for n in range(8)})


def test_an_event_of_an_older_open_transaction_is_covered_later_and_not_lost(app):
    slow = app.begin(a_call())
    slow.__enter__()
    slow.connection.execute(text("SELECT pg_current_xact_id()"))
    write(app, "plan_quick")

    assert make_checkpoint(a_call(), app) is None

    slow.record("plan_slow", PlanDrafted())
    slow.__exit__(None, None, None)
    made = make_checkpoint(a_call(), app)
    assert made is not None
    assert made.size == 3


def test_evidence_waits_for_older_transactions_and_says_when_it_waited_too_long(app):
    write(app)
    slow = app.begin(a_call())
    slow.__enter__()
    slow.connection.execute(text("SELECT pg_current_xact_id()"))
    write(app)

    with pytest.raises(EvidencePending):
        export_bundle("plan_1", a_call(), app)

    with ThreadPoolExecutor(1) as pool:
        pending = pool.submit(verified, app)
        slow.__exit__(None, None, None)
        assert pending.result().ok


def test_after_a_restore_into_another_cluster_nothing_is_lost_or_covered_twice(app, owner):
    write(app, count=2)
    make_checkpoint(a_call(), app)
    write(app, count=2)
    # As after a dump and restore: events, covered or not, with numbers that this cluster has not given out yet.
    owner.execute(text("UPDATE events SET xact = (xact::text::bigint + 1000000000)::text::xid8"))
    owner.execute(
        text("UPDATE checkpoints SET cluster = 1, horizon = (horizon::text::bigint + 1000000000)::text::xid8")
    )
    owner.commit()

    write(app, count=2)
    assert verified(app).ok
    write(app, count=2)
    assert verified(app).ok
    assert ask(app, "SELECT size FROM checkpoints ORDER BY number") == [(3,), (4,), (3,)]


def test_a_touched_row_is_named_by_the_exported_bundle(app, owner):
    write(app, count=4)
    make_checkpoint(a_call(), app)
    owner.execute(text("""UPDATE events SET body = '{"step": 9}' WHERE stream = 'plan_1' AND seq = 3"""))
    owner.commit()

    assert [(fault.reason, fault.index) for fault in verified(app).faults] == [("changed", 2)]


def test_a_touched_row_with_a_hash_to_match_is_not_what_the_checkpoint_covers(app, owner):
    write(app, count=4)
    make_checkpoint(a_call(), app)
    owner.execute(text("UPDATE events SET hash = 'sha256:' || repeat('0', 64) WHERE stream = 'plan_1' AND seq = 3"))
    owner.commit()

    assert ("changed", 2) in [(fault.reason, fault.index) for fault in verified(app).faults]


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE checkpoints SET note = ''",
        "DELETE FROM checkpoints",
        "UPDATE checkpoint_leaves SET leaf = 7",
        "DELETE FROM checkpoint_leaves",
        "TRUNCATE checkpoint_leaves",
        "UPDATE events SET actor = 'eve'",
        "DELETE FROM events",
    ],
)
def test_the_program_itself_can_rewrite_neither_log_nor_checkpoints(app, statement):
    with pytest.raises(ProgrammingError, match="permission denied"):
        ask(app, statement)


def test_events_are_listed_newest_first_in_pages_without_gaps_or_repeats(app):
    write(app, count=10)
    seen, cursor = [], None
    while True:
        page = list_events(EventFilter(stream="plan_1", limit=4, cursor=cursor), a_call(), app)
        seen += [entry.seq for entry in page.data]
        cursor = page.next_cursor
        if cursor is None:
            break

    assert seen == list(range(11, 0, -1))


class StandingClock(SystemClock):
    def __init__(self, at):
        self.at = at

    def now(self):
        return self.at


def test_events_of_many_streams_are_listed_by_their_time_in_pages_without_gaps_or_repeats(app):
    for number in range(4):
        app.clock = StandingClock(NOON + timedelta(minutes=number // 2))
        write(app, f"plan_{number % 2}", count=2)
    seen: list[SealedEntry] = []
    cursor = None
    while True:
        page = list_events(EventFilter(limit=3, cursor=cursor), a_call(), app)
        seen += page.data
        cursor = page.next_cursor
        if cursor is None:
            break

    assert len({(entry.stream, entry.seq) for entry in seen}) == len(seen) == 10
    assert [entry.at for entry in seen] == sorted((entry.at for entry in seen), reverse=True)


def test_a_cursor_of_one_list_is_refused_by_another(app):
    write(app, count=3)
    cursor = list_events(EventFilter(stream="plan_1", limit=1), a_call(), app).next_cursor

    with pytest.raises(CursorInvalid):
        list_events(EventFilter(cursor=cursor), a_call(), app)


def test_events_are_filtered_by_everything_an_auditor_may_ask(app):
    write(app, "plan_1", actor="ada")
    write(app, "plan_2", actor="bob")
    write(app, "plan_3", actor="bob", tenant="other")
    now = datetime.now(UTC)

    def found(**wanted):
        return [(entry.stream, entry.type) for entry in list_events(EventFilter(**wanted), a_call(), app).data]

    assert found(actor_id="bob") == [("plan_2", "StepFinished"), ("plan_2", "PlanDrafted")]
    assert found(plan_id="plan_1", type="PlanDrafted") == [("plan_1", "PlanDrafted")]
    assert found(plan_id="plan_3") == []
    assert found(since=now + timedelta(minutes=1)) == []
    assert len(found(since=now - timedelta(minutes=1), until=now + timedelta(minutes=1))) == 4
    assert found(until=now - timedelta(minutes=1)) == []


@pytest.mark.parametrize("cursor", ["x", "YQ", "LTE", "OTk5OTk5OTk5OTk5OTk5OTk5OTk5"])
def test_a_cursor_that_no_list_gave_out_is_refused(app, cursor):
    with pytest.raises(CursorInvalid):
        list_events(EventFilter(cursor=cursor), a_call(), app)
