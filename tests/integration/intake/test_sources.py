"""Administrators register who may report; a secret is shown once and is nowhere else in clear."""

import base64
import stat

import pytest
from tests.builders.intake import a_route

from carapulse.adapters.sealing import KEY_FILE, AesGcmSealer
from carapulse.kernel.errors import Invalid, Unavailable


def test_a_new_source_gets_a_secret_and_the_address_it_reports_to(site):
    answer = site.register()

    issued = answer.json()
    assert answer.status_code == 201
    assert issued["secret"].startswith("whsec_")
    assert issued["source"]["path"] == f"/v1/webhooks/alertmanager/{issued['source']['id']}"


def test_a_secret_is_never_shown_again_and_never_kept_in_clear(site):
    issued = site.register().json()
    other = site.register("edge-alerts", trust="path_token").json()
    site.report(issued)
    token = other["secret_path"].rsplit("/", 1)[1]

    later = [site.ask("GET", "/v1/sources/cluster-alerts").text, site.ask("GET", "/v1/sources").text, site.everything()]

    for text in later:
        assert issued["secret"] not in text
        assert issued["secret"].removeprefix("whsec_") not in text
        assert token not in text


def test_the_same_registration_again_changes_nothing(site):
    issued = site.register().json()

    again = site.register()

    assert (again.status_code, again.json()["secret"]) == (200, None)
    assert [kind for kind, _ in site.events(issued["source"]["id"])] == ["SourceRegistered", "CredentialIssued"]


def test_a_changed_registration_keeps_the_address_and_the_secret(site):
    before = site.register().json()

    after = site.register(routes=[]).json()

    assert (after["source"]["path"], after["source"]["revision"]) == (before["source"]["path"], 2)
    assert site.report(before).status_code == 202


def test_another_kind_of_proof_ends_the_former_one(site):
    before = site.register().json()

    after = site.register(trust="path_token").json()

    assert len(after["source"]["credentials"]) == 1
    assert site.report(before).status_code == 401
    assert site.http.post(after["secret_path"], content=b"{}").status_code == 422


def test_both_secrets_hold_while_they_are_rotated(site):
    before = site.register().json()
    after = site.ask("POST", "/v1/sources/cluster-alerts:rotate", json={"older_for_s": 60}).json()

    assert [site.report(each).status_code for each in (before, after)] == [202, 202]


def test_a_second_rotation_takes_nothing_from_what_the_first_promised(site):
    first = site.register().json()
    second = site.ask("POST", "/v1/sources/cluster-alerts:rotate", json={"older_for_s": 60}).json()
    third = site.ask("POST", "/v1/sources/cluster-alerts:rotate", json={"older_for_s": 3600}).json()

    assert [site.report(each).status_code for each in (first, second, third)] == [202, 202, 202]
    sooner, later = (
        each.expires_at for each in site.rows("SELECT * FROM source_credentials ORDER BY id") if each.expires_at
    )
    assert (later - sooner).total_seconds() > 3000


def test_a_rotation_may_end_the_older_secret_at_once(site):
    before = site.register().json()
    after = site.ask("POST", "/v1/sources/cluster-alerts:rotate", json={"older_for_s": 0}).json()

    assert [site.report(each).status_code for each in (before, after)] == [401, 202]


def test_a_retired_source_may_report_no_more_and_its_name_is_free(site):
    before = site.register().json()

    assert site.change("DELETE", "/v1/sources/cluster-alerts").status_code == 204

    assert site.report(before).status_code == 401
    assert site.ask("GET", "/v1/sources/cluster-alerts").status_code == 404
    assert site.rows("SELECT * FROM source_credentials") == []
    assert site.register().json()["source"]["id"] != before["source"]["id"]


@pytest.mark.parametrize(
    ("method", "path", "roles"),
    [
        ("PUT", "/v1/sources/x", ("operator", "sre", "approver", "viewer")),
        ("GET", "/v1/sources", ("operator", "viewer")),
        ("GET", "/v1/sources/x", ("operator", "viewer")),
        ("POST", "/v1/sources/x:rotate", ("operator", "sre")),
        ("DELETE", "/v1/sources/x", ("operator", "sre")),
        ("GET", "/v1/alerts", ()),
        ("POST", "/v1/alerts/alert_1:close", ("viewer", "approver")),
    ],
)
def test_whoever_lacks_the_permission_is_refused(site, method, path, roles):
    body = {"older_for_s": 0} if path.endswith(":rotate") else {}

    answer = site.ask(method, path, roles=roles, json=body)

    assert (answer.status_code, answer.json()["code"]) == (403, "role-required")


def test_two_tenants_may_use_the_same_name_and_see_only_their_own(site):
    ours, theirs = site.register().json(), site.register(tenant="rival").json()

    assert ours["source"]["id"] != theirs["source"]["id"]
    assert [each["id"] for each in site.ask("GET", "/v1/sources").json()["data"]] == [ours["source"]["id"]]


@pytest.mark.parametrize(
    ("pointer", "change"),
    [
        ("/context/environment", {"context": {}}),
        ("/trust", {"trust": "blind"}),
        ("/tenant", {"tenant": "rival"}),
        ("/routes/0/input/x", {"routes": [a_route(input={"x": {"$from": "labels."}}).model_dump()]}),
    ],
)
def test_a_registration_that_cannot_work_is_refused_with_its_place(site, pointer, change):
    body = {"trust": "signed", "context": {"environment": "staging"}, **change}

    answer = site.change("PUT", "/v1/sources/cluster-alerts", json=body)

    assert answer.status_code == 422
    assert [each["pointer"] for each in answer.json()["errors"]] == [pointer]


def test_a_sealed_secret_opens_for_its_own_purpose_and_key_alone(tmp_path):
    sealer = AesGcmSealer.load_or_make(tmp_path)
    sealed = sealer.seal("whsec_x", "acme/src_1/cred_1")

    assert AesGcmSealer.load_or_make(tmp_path).open(sealed, "acme/src_1/cred_1") == "whsec_x"
    assert stat.S_IMODE((tmp_path / KEY_FILE).stat().st_mode) == 0o600
    with pytest.raises(Unavailable):
        sealer.open(sealed, "acme/src_2/cred_1")
    with pytest.raises(Unavailable):
        AesGcmSealer.load_or_make(tmp_path / "another").open(sealed, "acme/src_1/cred_1")


def test_a_sealing_key_that_somebody_else_keeps_may_be_written_in_two_ways_and_no_other():
    sealed = AesGcmSealer.of("0f" * 32, "aws:key").seal("whsec_x", "acme/src_1/cred_1")

    assert AesGcmSealer.of(base64.b64encode(b"\x0f" * 32).decode(), "aws:key").open(sealed, "acme/src_1/cred_1")
    for wrong in ("", "0f" * 31, "not base64", base64.b64encode(bytes(31)).decode()):
        with pytest.raises(Invalid, match="sealing key"):
            AesGcmSealer.of(wrong, "aws:key")
