"""A webhook is believed first, read second, kept in one write, and answered at once."""

import json
import time
from datetime import UTC, datetime, timedelta

import pytest
from tests.builders.intake import a_payload, recorded, signed

from carapulse.redaction import redacted

BODY = recorded("firing_three_services")


@pytest.fixture
def source(site):
    return site.register().json()


def test_a_signed_notification_is_kept_and_answered_within_a_second(site, source):
    site.report(source)
    started = time.perf_counter()

    answer = site.report(source)

    assert time.perf_counter() - started < 1
    assert answer.status_code == 202
    assert answer.json() == {"received": True, "delivery_id": answer.json()["delivery_id"]}
    (row,) = site.rows("SELECT * FROM webhook_deliveries WHERE id = :id", id=answer.json()["delivery_id"])
    assert (row.payload, row.trusted, row.sorted_at) == (json.loads(BODY), True, None)


def test_what_is_received_is_an_event_without_the_payload(site, source):
    site.report(source, webhook_id="msg_7")

    kind, body = site.events(source["source"]["id"])[-1]

    assert (kind, body["webhook_id"], body["alerts"], body["trusted"]) == ("AlertReceived", "msg_7", 4, True)
    assert "checkout" not in json.dumps(body)


def test_the_trace_of_the_sender_goes_on(site, source):
    headers = {"traceparent": f"00-{'a' * 32}-{'b' * 16}-01", **signed(BODY, secret=source["secret"])}

    site.send(source, BODY, headers)

    assert [row.trace for row in site.rows("SELECT trace FROM messages")] == ["a" * 32]


def refusals(source):
    good = signed(BODY, secret=source["secret"])
    stale = datetime.now(UTC) - timedelta(minutes=6)
    return {
        "wrong signature": (source["source"]["path"], BODY, signed(BODY)),
        "another body": (source["source"]["path"], BODY + b" ", good),
        "no signature": (source["source"]["path"], BODY, {}),
        "too old": (source["source"]["path"], BODY, signed(BODY, secret=source["secret"], at=stale)),
        "unknown source": ("/v1/webhooks/alertmanager/src_0", BODY, good),
        "a token for a source that signs": (source["source"]["path"] + "/whpath_1", BODY, good),
        "not even JSON": (source["source"]["path"], b"{", signed(b"{")),
    }


def test_whoever_cannot_be_believed_gets_one_and_the_same_answer(site, source):
    answers = {
        name: site.http.post(path, content=body, headers=headers)
        for name, (path, body, headers) in refusals(source).items()
    }

    for name, answer in answers.items():
        assert answer.status_code == 401, name
    told = [{**answer.json(), "trace_id": None} for answer in answers.values()]
    assert [each for each in told if each != told[0]] == []
    assert site.rows("SELECT * FROM webhook_deliveries") == []


def test_the_log_says_why_and_shows_no_proof(site, source, caplog):
    token = site.register("edge-alerts", trust="path_token").json()["secret_path"]
    with caplog.at_level("INFO"):
        for path, body, headers in refusals(source).values():
            site.http.post(path, content=body, headers=headers)
        site.http.post(token, content=BODY)

    told = [record.carapulse_facts for record in caplog.records if record.message == "webhook_refused"]
    assert {facts["why"] for facts in told} == {
        "no source has this id",
        "no secret that holds made any of the signatures",
        "webhook-id or webhook-timestamp is missing or malformed",
        "webhook-timestamp is more than five minutes from our clock",
        "the source was registered to prove itself in the other way",
    }
    written = json.dumps([redacted(getattr(record, "carapulse_facts", {})) for record in caplog.records])
    assert token.rsplit("_", 1)[1] not in written
    assert source["secret"] not in written


def test_a_replayed_webhook_is_a_conflict_and_counts_once(site, source):
    headers = signed(BODY, secret=source["secret"])

    answers = [site.send(source, BODY, headers) for _ in range(3)]

    assert [answer.status_code for answer in answers] == [202, 409, 409]
    assert answers[1].json()["code"] == "webhook-replayed"
    assert len(site.rows("SELECT * FROM webhook_deliveries")) == 1
    assert [kind for kind, _ in site.events(source["source"]["id"])].count("AlertReceived") == 1


def test_two_sources_may_use_the_same_webhook_id(site, source):
    other = site.register("edge-alerts").json()

    assert [site.report(each, webhook_id="msg_1").status_code for each in (source, other)] == [202, 202]


def test_a_body_over_a_mebibyte_is_refused_before_it_is_read(site, source):
    body = b" " * (1_048_576 + 1)

    assert site.send(source, body, secret=source["secret"]).status_code == 413


@pytest.mark.parametrize("body", [b"", b"{", b"\xff", b'{"a": 1, "a": 2}', b'{"a": "\\u0000"}', b"[" * 100_000, b"NaN"])
def test_a_signed_body_that_is_no_json_is_refused(site, source, body):
    answer = site.send(source, body, secret=source["secret"])

    assert (answer.status_code, answer.json()["code"]) == (400, "malformed-json")


@pytest.mark.parametrize(
    ("pointer", "change"), [("/version", {"version": "5"}), ("/alerts", {"alerts": []}), ("/status", {"status": 1})]
)
def test_json_that_is_no_notification_is_refused_with_its_place(site, source, pointer, change):
    body = json.dumps(a_payload() | change).encode()

    answer = site.send(source, body, secret=source["secret"])

    assert (answer.status_code, answer.json()["code"]) == (422, "not-an-alertmanager-notification")
    assert [each["pointer"] for each in answer.json()["errors"]] == [pointer]


def test_a_sender_that_cannot_sign_uses_a_path_and_is_not_trusted(site):
    source = site.register(trust="path_token").json()

    answer = site.http.post(source["secret_path"], content=BODY)

    assert answer.status_code == 202
    assert [row.trusted for row in site.rows("SELECT trusted FROM webhook_deliveries")] == [False]
    assert site.http.post(source["secret_path"][:-1] + "x", content=BODY).status_code == 401
    assert site.send(source, BODY).status_code == 401


def test_the_tenant_is_the_registrations_whatever_the_payload_says(site, source):
    payload = a_payload() | {"tenant": "rival", "tenant_id": "rival"}
    for alert in payload["alerts"]:
        alert["labels"] |= {"tenant": "rival", "tenant_id": "rival"}
    body = json.dumps(payload).encode()

    assert site.send(source, body, secret=source["secret"]).status_code == 202

    assert [row.tenant for row in site.rows("SELECT tenant FROM webhook_deliveries")] == ["acme"]
    assert site.rows("SELECT * FROM webhook_deliveries", tenant="rival") == []


def test_the_app_role_can_ask_whose_a_source_is_and_nothing_more(site, source):
    assert site.rows("SELECT * FROM sources", tenant="rival") == []
    found = site.rows("SELECT * FROM owner_of_source(:id)", tenant="rival", id=source["source"]["id"])

    assert [tuple(row) for row in found] == [("acme", "cluster-alerts")]
