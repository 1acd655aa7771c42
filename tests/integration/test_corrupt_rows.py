"""A row that does not hold what it must is told with its id, and is never left out or taken for a caller's fault."""

import json
import logging

import pytest
from tests.builders.caller import Caller
from tests.builders.intake import a_registration
from tests.world.rig import Rig, a_call, act, check

from carapulse.executions.model import Status
from carapulse.kernel.call import Call
from carapulse.kernel.errors import CorruptRow
from carapulse.metrics import show_metrics
from carapulse.observe import FACTS
from carapulse.rows import json_or_text, read_row

NEW = {"if-none-match": "*"}


@pytest.fixture
def rig(database, world, tmp_path):
    """Build an application that gives a message up soon."""
    built = Rig(database.app_url, world, tmp_path / "data", max_deliveries=2)
    yield built
    built.close()


@pytest.fixture
def plan(rig):
    """Ask for a change of production, which makes people asked too."""
    return rig.plan(act("switch", "hall"), check("hall"), environment="prod")


@pytest.fixture
def ask(rig):
    return Caller(rig.app)


def alter(database, *statements):
    with database.as_superuser() as connection:
        for statement in statements:
            connection.run(statement)


def told(answer):
    """Return what an answer says about the row."""
    body = answer.json()
    return answer.status_code, body["code"], body.get("table"), body.get("row_id")


def test_a_plan_whose_row_is_no_plan_is_named(ask, database, plan):
    alter(database, "UPDATE plans SET reasons = '{\"because\": 1}'")

    for path in ("/v1/plans", f"/v1/plans/{plan.plan_id}"):
        assert told(ask("GET", path)) == (500, "corrupt-row", "plans", plan.plan_id)


@pytest.mark.parametrize("more", ['{"summary": "another"}', '{"more": 1e400}'])
def test_a_version_that_was_altered_is_named(ask, database, plan, more):
    alter(database, f"UPDATE plan_versions SET body = body || '{more}'")

    for part in ("", "/risk", "/diff"):
        answer = ask("GET", f"/v1/plans/{plan.plan_id}{part}")
        assert told(answer) == (500, "corrupt-row", "plan_versions", f"{plan.plan_id}/1")


@pytest.mark.parametrize("more", ["9" * 5000, "[" * 3000 + "]" * 3000], ids=["a long number", "a deep list"])
def test_a_version_that_no_reader_can_hold_is_named(ask, database, plan, more):
    alter(database, f"UPDATE plan_versions SET body = body || '{{\"more\": {more}}}'")

    for part in ("", "/risk", "/diff"):
        answer = ask("GET", f"/v1/plans/{plan.plan_id}{part}")
        assert told(answer) == (500, "corrupt-row", "plan_versions", f"{plan.plan_id}/1")


def test_an_approval_whose_row_is_none_is_named(ask, database, plan):
    alter(database, "UPDATE approvals SET requested_at = '-infinity'")

    status, code, table, row = told(ask("GET", "/v1/approvals"))

    assert (status, code, table) == (500, "corrupt-row", "approvals")
    assert row.startswith("approval_")


@pytest.mark.parametrize("body", ["'[1]'", f"CAST('[{'9' * 5000}]' AS jsonb)"], ids=["a list", "a large number"])
def test_an_event_of_another_shape_is_named(ask, database, plan, body):
    alter(database, f"UPDATE events SET body = {body} WHERE type = 'PlanDrafted'")

    for path in ("/v1/audit/events", f"/v1/plans/{plan.plan_id}/timeline", f"/v1/plans/{plan.plan_id}/evidence"):
        status, code, table, row = told(ask("GET", path))
        assert (status, code, table) == (500, "corrupt-row", "events")
        assert row.startswith("event_")


def test_a_source_whose_registration_is_none_is_named(ask, database):
    source = ask("PUT", "/v1/sources/cluster", a_registration().model_dump(mode="json"), headers=NEW).json()["source"]
    alter(database, 'UPDATE sources SET registration = \'{"trust": "signed"}\'')

    assert told(ask("GET", "/v1/sources")) == (500, "corrupt-row", "sources", source["id"])
    assert told(ask("GET", "/v1/sources/cluster")) == (500, "corrupt-row", "sources", source["id"])


def test_an_alert_whose_body_is_none_is_named(ask, database):
    source = ask("PUT", "/v1/sources/cluster", a_registration().model_dump(mode="json"), headers=NEW).json()["source"]
    columns = "tenant, id, source_id, source, key, status, body"
    row = f"'acme', 'alert_1', '{source['id']}', 'cluster', 'sha256:1', 'open', '{{}}'"
    alter(database, f"INSERT INTO alerts ({columns}) VALUES ({row})")

    assert told(ask("GET", "/v1/alerts")) == (500, "corrupt-row", "alerts", "alert_1")
    assert told(ask("GET", "/v1/alerts/alert_1")) == (500, "corrupt-row", "alerts", "alert_1")


def test_a_run_whose_version_was_altered_changes_nothing_and_ends(rig, database, world):
    execution = rig.start(rig.plan(act("switch", "hall"), check("hall")))
    alter(database, 'UPDATE plan_versions SET body = body || \'{"summary": "another"}\'')

    state = rig.finish(execution)

    assert (state.status, world.effects) == (Status.FAILED, [])
    assert state.steps[0].run.error is not None
    assert state.steps[0].run.error.detail.startswith("corrupt-row: ")


def test_the_log_and_the_count_know_of_it_without_the_value(caplog):
    with caplog.at_level(logging.ERROR), pytest.raises(CorruptRow):
        read_row(Call, {**dict(a_call()), "tenant": {"hunter2": 1}}, table="calls", row_id="call_1")

    (record,) = [each for each in caplog.records if each.msg == "row_corrupt"]
    facts = getattr(record, FACTS)
    assert (facts["table"], facts["row_id"]) == ("calls", "call_1")
    assert facts["why"] == "tenant: Input should be a valid string"
    assert 'carapulse_corrupt_rows_total{table="calls"} 1.0' in show_metrics().decode()


@pytest.mark.parametrize("text", ["{", "9" * 5000, "[" * 100_000], ids=["a half", "a large number", "a deep list"])
def test_what_no_reader_of_json_can_hold_stays_text(text):
    assert json_or_text(text) == text
    assert json_or_text(json.dumps({"a": 1})) == {"a": 1}
