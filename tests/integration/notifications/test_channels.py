"""Administrators say who is told what; an address must be one that may be told, and no secret is seen twice."""

import json
from itertools import pairwise

import pytest
from tests.builders.receiving import is_signed

from carapulse.adapters.web.egress import destinations
from carapulse.identity.errors import RoleRequired
from carapulse.notifications.model import Registration
from carapulse.notifications.usecases import put_channel
from carapulse.retention.usecases import let_old_go
from carapulse.tools.errors import EgressRefused
from carapulse.tools.ports import Request

PUBLIC = "https://hooks.example.com/carapulse"


def test_a_new_channel_gets_a_secret_that_is_in_no_other_answer(site):
    put = site.put("people", PUBLIC)

    secret = put.json()["secret"]
    later = [site.put("people", PUBLIC), site.ask("GET", "/v1/channels"), site.ask("GET", "/v1/channels/people")]
    assert (put.status_code, put.headers["Location"]) == (201, "/v1/channels/people")
    assert secret.startswith("whsec_")
    assert [each.status_code for each in later] == [200] * 3
    assert all(secret not in each.text for each in later)
    assert later[2].json()["revision"] == 1


def test_secrets_are_in_no_event_no_log_and_no_row(site, receiver, installation, caplog):
    url = receiver.url
    webhook = site.put("people", url).json()
    slack = site.put("slack", url, kind="slack").json()
    receiver.answers = [500]
    site.plan()
    site.work(4, lambda: len(receiver.got) == 3)

    shown = json.dumps([site.log(), slack, site.ask("GET", "/v1/channels/slack").json(), site.deliveries("slack")])
    _, _, database = installation
    with database.as_superuser() as connection:
        tables = ("channels", "channel_secrets", "channel_deliveries", "messages", "events")
        kept = "".join(str(connection.run(f"SELECT to_jsonb(t) FROM {each} t")) for each in tables)
    logged = "".join(str(record.__dict__) for record in caplog.records)
    for text in (shown, kept, logged):
        assert "a-key-in-the-address" not in text
        assert webhook["secret"].removeprefix("whsec_") not in text
    assert slack["channel"]["address"] == receiver.address
    assert slack["channel"]["url"] is None


def test_a_changed_secret_signs_beside_the_older_one_for_a_while(site, receiver):
    before = site.put("people", receiver.url).json()["secret"]

    after = site.ask("POST", "/v1/channels/people:rotate", {"older_for_s": 60}).json()["secret"]
    site.plan()
    site.work()

    ((headers, body),) = receiver.got
    assert is_signed(headers, body, before)
    assert is_signed(headers, body, after)

    site.ask("POST", "/v1/channels/people:rotate", {"older_for_s": 0})
    site.plan(lamp="attic")
    site.work()

    headers, body = receiver.got[1]
    assert not is_signed(headers, body, before)
    assert not is_signed(headers, body, after)


@pytest.mark.parametrize(
    "url",
    [
        "http://hooks.example.com/",
        "https://10.1.2.3/",
        "https://127.0.0.1/",
        "https://169.254.169.254/latest/meta-data",
        "https://[::1]/",
        "https://[::ffff:10.0.0.1]/",
        "https://localhost/",
        "https://ada:secret@hooks.example.com/",
    ],
)
def test_an_address_that_is_not_of_the_public_internet_is_refused(site, url):
    answer = site.put("people", url)

    assert (answer.status_code, answer.json()["code"]) == (422, "channel-invalid")
    assert "secret" not in answer.text


def test_a_name_that_leads_into_a_private_network_is_told_nothing(site):
    site.put("people", "https://2130706433:9/")
    site.plan()
    site.work()

    (failed,) = site.deliveries("people")
    assert (failed["status"], failed["attempts"]) == ("failed", 1)
    assert failed["last_error"] == "receiver-forbidden: the name leads out of the public internet"


@pytest.mark.parametrize(
    "host", ["[64:ff9b::a00:1]", "[64:ff9b:1::a00:1]", "[::a00:1]", "[::ffff:0:a00:1]", "[fec0::1]", "[2002:a00:1::]"]
)
def test_an_address_that_carries_a_private_one_in_another_form_is_told_nothing(host):
    address = f"{host}:443"
    request = Request(
        method="POST",
        url=f"https://{host}/",
        may_reach=frozenset({address}),
        may_be_private=frozenset(),
        answer_bytes=1,
    )

    with pytest.raises(EgressRefused):
        destinations(request)


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({"events": []}, "invalid-request"),
        ({"events": ["NoSuchThing"]}, "invalid-request"),
        ({"events": ["DeliveryFailed"]}, "invalid-request"),
        ({"kind": "email"}, "invalid-request"),
        ({"events": ["AlertOpened"], "environments": ["prod"]}, "channel-invalid"),
    ],
)
def test_what_can_not_work_is_refused(site, given, code):
    answer = site.put("people", PUBLIC, **given)

    assert (answer.status_code, answer.json()["code"]) == (422, code)


def test_only_those_who_may_write_channels_do_and_of_events_that_they_may_read(site):
    body = {"kind": "webhook", "url": PUBLIC, "events": ["ApprovalRequested"]}
    new = {"If-None-Match": "*"}

    refused = [
        site.ask("PUT", "/v1/channels/people", body, role=role, headers=new) for role in ("viewer", "sre", "security")
    ]
    read = [site.ask("GET", "/v1/channels", role=role).status_code for role in ("viewer", "sre", "security")]

    assert [each.json()["code"] for each in refused] == ["role-required"] * 3
    assert read == [403, 200, 200]


def test_nobody_has_told_elsewhere_what_they_may_not_read(site):
    wanted = Registration(kind="webhook", url=PUBLIC, events=("ApprovalRequested", "ApiKeyCreated"))

    with pytest.raises(RoleRequired) as refused:
        put_channel("people", wanted, site.call("eve", "operator"), site.rig.app)

    assert refused.value.facts == {"permission": "api-key:read"}
    assert site.ask("GET", "/v1/channels").json()["data"] == []


def test_a_channel_of_another_tenant_is_as_if_it_were_not(site, other):
    site.put("people", PUBLIC)

    theirs = [
        other.ask(method, f"/v1/channels/{name}{rest}", *body, headers={"If-Match": '"x"'})
        for name in ("people", "nobody")
        for method, rest, *body in (
            ("GET", ""),
            ("DELETE", ""),
            ("POST", ":test"),
            ("POST", ":rotate", {}),
            ("GET", "/deliveries"),
        )
    ]

    answers = [(each.status_code, each.json()["code"]) for each in theirs]
    assert answers == [(404, "channel-not-found")] * 10


def test_a_change_is_made_to_what_was_read_or_not_at_all(site):
    tag = site.put("people", PUBLIC).headers["ETag"]
    body = {"kind": "webhook", "url": PUBLIC, "events": ["PlanDrafted"]}

    changed = site.ask("PUT", "/v1/channels/people", body, headers={"If-Match": tag})
    late = site.ask("PUT", "/v1/channels/people", body, headers={"If-Match": tag})

    assert (changed.status_code, changed.json()["channel"]["revision"]) == (200, 2)
    assert late.status_code == 412
    assert site.ask("DELETE", "/v1/channels/people").status_code == 428


def test_deliveries_come_in_pages_and_go_when_they_are_old(site, receiver):
    site.put("people", receiver.url)
    for _ in range(3):
        site.ask("POST", "/v1/channels/people:test")
    site.work()

    first = site.ask("GET", "/v1/channels/people/deliveries", params={"limit": 2}).json()
    rest = site.ask("GET", "/v1/channels/people/deliveries", params={"limit": 2, "cursor": first["next_cursor"]}).json()

    ids = [each["id"] for each in first["data"] + rest["data"]]
    assert len(ids) == 3
    assert all(newer > older for newer, older in pairwise(ids))

    site.sql("UPDATE channel_deliveries SET done_at = now() - interval '31 days' WHERE id = :id", id=ids[0])
    let_old_go(site.call(), site.rig.app)

    assert [each["id"] for each in site.deliveries("people")] == ids[1:]


def test_a_channel_has_only_so_many_secrets_at_once(site):
    site.put("people", PUBLIC)

    def rotate(seconds):
        return site.ask("POST", "/v1/channels/people:rotate", {"older_for_s": seconds})

    answers = [rotate(60) for _ in range(10)]

    assert [each.status_code for each in answers] == [200] * 9 + [409]
    assert answers[-1].json()["code"] == "too-many-channel-secrets"
    assert rotate(0).status_code == 200
    assert len(site.ask("GET", "/v1/channels/people").json()["secrets"]) == 1


def test_only_webhooks_have_a_secret_to_change(site):
    site.put("slack", "https://hooks.slack.com/services/T/B/x", kind="slack")

    assert site.ask("POST", "/v1/channels/slack:rotate", {}).json()["code"] == "channel-unsigned"
