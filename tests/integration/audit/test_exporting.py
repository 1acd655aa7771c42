"""Events taken out of the log, and what they are found by."""

import csv
import json
from io import StringIO

import pytest
from tests.builders.log import a_call, write
from tests.integration.audit.test_routes import Http, HttpApp, bearer

from carapulse.adapters.postgres.engine import connect
from carapulse.audit.exporting import export_events
from carapulse.audit.model import EventFilter, ExportEvents
from carapulse.audit.note import Signer
from carapulse.audit.usecases import list_events
from carapulse.kernel.clock import SystemClock
from carapulse.kernel.event import Event

PATH = "/v1/audit/events:export"


class PolicyDecided(Event):
    """Look like the fact of the policy area."""

    action: str
    outcome: str


@pytest.fixture
def app(database, tmp_path):
    engine = connect(database.app_url)
    yield HttpApp(engine, SystemClock(), Signer.new("carapulse.dev/log/test")).serve(tmp_path)
    engine.dispose()


@pytest.fixture
def http(app):
    return Http(app)


def decide(app, action, outcome):
    with app.begin(a_call()) as work:
        work.record("plan_1", PolicyDecided(action=action, outcome=outcome))


def taken(http, app, **query):
    answer = http.get(PATH, params={"format": "jsonl", **query}, headers=bearer(app))
    assert answer.status_code == 200, answer.text
    return [json.loads(line) for line in answer.text.splitlines()]


def test_lines_hold_what_the_list_holds_the_oldest_first(app, http):
    write(app, count=3)
    write(app, stream="plan_2", count=2, actor="grace")

    answer = http.get(PATH, params={"format": "jsonl"}, headers=bearer(app))
    listed = http.get("/v1/audit/events", headers=bearer(app)).json()["data"]

    assert answer.headers["content-type"] == "application/jsonl"
    assert answer.headers["content-disposition"].startswith('attachment; filename="events-acme-')
    assert answer.headers["content-disposition"].endswith('.jsonl"')
    happened = [each for each in listed if each["type"] != "EventsExported"]
    assert [json.loads(line) for line in answer.text.splitlines()] == happened[::-1]


def test_a_table_has_every_column_and_no_cell_that_is_carried_out(app, http):
    write(app, actor='=cmd|"/c calc"!A1')
    write(app, stream="plan_2", actor="+1", count=0)
    write(app, stream="plan_3", actor="-1", count=0)
    write(app, stream="plan_4", actor="@x", count=0)

    answer = http.get(PATH, params={"format": "csv"}, headers=bearer(app))
    rows = list(csv.DictReader(StringIO(answer.text)))

    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert [each["actor"] for each in rows] == ['\'=cmd|"/c calc"!A1'] * 2 + ["'+1", "'-1", "'@x"]
    assert json.loads(rows[1]["body"]) == {"step": 0, "output": "é\n😀", "seconds": 1.0}
    assert list(rows[0]) == ["tenant", "stream", "seq", "id", "type", "at", "actor", "trace", "body", "prev", "hash"]


def test_many_are_read_page_by_page_while_they_are_sent(app):
    write(app, count=1_200)
    counted = Counted(app.engine, app.clock, app.evidence_key)

    pieces = export_events(ExportEvents(format="jsonl"), a_call(), counted)
    first = next(pieces)
    begun = counted.begun
    rest = list(pieces)

    assert (begun, counted.begun) == (1, 3)
    assert [piece.count("\n") for piece in (first, *rest)] == [500, 500, 201]
    steps = [json.loads(line)["seq"] for piece in (first, *rest) for line in piece.splitlines()]
    assert steps == list(range(1, 1_202))


class Counted(HttpApp):
    """The same application, which counts its transactions."""

    begun = 0

    def begin(self, call):
        self.begun += 1
        return super().begin(call)


def test_what_happens_meanwhile_is_left_out(app):
    write(app, count=600)

    pieces = export_events(ExportEvents(format="jsonl"), a_call(), app)
    next(pieces)
    write(app, stream="plan_2", count=3)

    assert [json.loads(line)["stream"] for piece in pieces for line in piece.splitlines()] == ["plan_1"] * 101


def test_it_is_on_record_who_took_what(app, http):
    write(app)

    taken(http, app, plan_id="plan_1", type="StepFinished")

    (fact,) = list_events(EventFilter(type="EventsExported"), a_call(), app).data
    assert (fact.actor, fact.body["format"]) == ("ada", "jsonl")
    assert fact.body["wanted"] == {"plan_id": "plan_1", "type": "StepFinished"}


def test_events_are_found_by_what_policy_said_of_what(app, http):
    write(app)
    for action, outcome in (("plan.create", "allow"), ("plan.create", "deny"), ("plan.execute", "deny")):
        decide(app, action, outcome)

    def found(**query):
        listed = http.get("/v1/audit/events", params=query, headers=bearer(app)).json()["data"]
        lines = taken(http, app, **query)
        assert lines == listed[::-1]
        return [(each["body"]["action"], each["body"]["outcome"]) for each in lines]

    assert found(decision="deny") == [("plan.create", "deny"), ("plan.execute", "deny")]
    assert found(action="plan.create") == [("plan.create", "allow"), ("plan.create", "deny")]
    assert found(action="plan.create", decision="deny") == [("plan.create", "deny")]


@pytest.mark.parametrize(
    "query", [{}, {"format": "xml"}, {"format": "csv", "decision": "maybe"}, {"format": "csv", "limit": "5"}]
)
def test_a_query_that_makes_no_sense_is_refused_before_anything_is_sent(app, http, query):
    assert http.get(PATH, params=query, headers=bearer(app)).status_code == 422


def test_only_who_may_see_the_log_takes_it_and_only_their_tenants(app, http):
    write(app)

    assert http.get(PATH, params={"format": "csv"}, headers=bearer(app, role="viewer")).status_code == 403
    theirs = http.get(PATH, params={"format": "jsonl"}, headers=bearer(app, tenant="rival"))
    assert (theirs.status_code, theirs.text) == (200, "")
