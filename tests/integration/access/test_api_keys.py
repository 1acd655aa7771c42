"""Keys: made by a person, good for what they were given, and gone at once."""

from datetime import timedelta

import pytest
from tests.builders.plans import a_call

from carapulse.kernel.call import Scope
from carapulse.runtime.areas import ROUTERS
from carapulse.runtime.http.app import make_app as make_http

LEAKED = {"reason": "it was in a log"}
BAD_KEY = "cpk_abcdefghijkl_" + "a" * 43


def me(site, key, **more):
    return site.ask("GET", "/v1/me", key=key, **more)


def test_a_key_says_who_uses_it_and_what_they_may_do(site):
    key, text = site.made(name="deployer", scope={"environments": ["dev"]})

    said = me(site, text).json()

    assert said["actor"] == f"key:{key['id']}"
    assert (said["kind"], said["tenant"], said["roles"], said["owner"]) == ("service", "acme", ["operator"], "ada")
    assert said["scope"] == {"environments": ["dev"], "services": None, "clusters": None}
    assert said["proof"] == {"kind": "api_key", "id": key["id"]}
    assert "plan:execute" in said["permissions"]
    assert "approval:decide" not in said["permissions"]


def test_the_text_is_shown_once_and_kept_nowhere(site):
    key, text = site.made(name="once")
    secret = text[-43:]
    shown = [site.ask("GET", f"/v1/api-keys/{key['id']}").text, site.ask("GET", "/v1/api-keys?limit=200").text]
    shown += [str(site.events("ApiKeyCreated", stream=key["id"]))]
    with site.app.begin(a_call()) as work:
        shown += [str(row) for row in work.connection.exec_driver_sql("SELECT * FROM api_keys")]

    assert text.startswith(f"cpk_{key['prefix']}_")
    assert not [each for each in shown if secret in each]


@pytest.mark.parametrize("change", ["unknown", "other secret", "cut", "longer", "another's prefix"])
def test_a_key_that_is_not_exactly_one_of_ours_answers_401(site, change):
    _, text = site.made(name="exact")
    _, other = site.made(name="other")
    changed = {
        "unknown": BAD_KEY,
        "other secret": text[:-43] + "b" * 43,
        "cut": text[:-1],
        "longer": text + "a",
        "another's prefix": other[:-43] + text[-43:],
    }[change]

    answer = me(site, changed)

    assert (answer.status_code, answer.json()["code"]) == (401, "token-refused")


def test_a_revoked_key_is_refused_at_once_in_every_process(site):
    key, text = site.made(name="leaked")
    second = site.another_process()
    http = make_http(second, ROUTERS)
    assert me(site, text, http=http).status_code == 200

    answer = site.ask("POST", f"/v1/api-keys/{key['id']}:revoke", LEAKED, by="sam", role="security")

    assert (answer.status_code, answer.json()["revoked_because"]) == (200, "it was in a log")

    assert [me(site, text).status_code, me(site, text, http=http).status_code] == [401, 401]
    second.close()
    kept = site.ask("GET", f"/v1/api-keys/{key['id']}").json()
    assert (kept["revoked_by"], kept["name"]) == ("sam", "leaked")
    revoked = site.events("ApiKeyRevoked", stream=key["id"])
    assert [(event["actor"], event["body"]["reason"]) for event in revoked] == [("sam", "it was in a log")]


def test_revoking_twice_is_one_fact(site):
    key, _ = site.made(name="twice")

    answers = [
        site.ask("POST", f"/v1/api-keys/{key['id']}:revoke", {"reason": why}).json() for why in ("first", "second")
    ]

    assert answers[0] == answers[1]
    assert answers[1]["revoked_because"] == "first"
    assert len(site.events("ApiKeyRevoked", stream=key["id"])) == 1


def test_an_expired_key_answers_401(site):
    _, text = site.made(name="short", days=1)
    before = site.clock.at
    site.clock.move(timedelta(days=1, seconds=1))
    answer = me(site, text)
    site.clock.at = before

    assert (answer.status_code, answer.json()["code"]) == (401, "token-expired")


def test_its_use_is_noted_once_a_minute(site):
    key, text = site.made(name="used")

    def used():
        return site.ask("GET", f"/v1/api-keys/{key['id']}").json()["last_used_at"]

    assert used() is None
    me(site, text)
    first = used()
    site.clock.move(timedelta(seconds=50))
    me(site, text)
    assert used() == first
    site.clock.move(timedelta(seconds=11))
    me(site, text)
    assert used() > first


def test_a_key_makes_no_keys(site):
    _, text = site.made(name="boss", roles=("admin",))

    answer = site.ask("POST", "/v1/api-keys", site.wanted(), key=text)

    assert (answer.status_code, answer.json()["code"]) == (403, "person-required")


@pytest.mark.parametrize("days", [0, -1, 366])
def test_a_key_ends_in_the_future_and_within_a_year(site, days):
    answer = site.ask("POST", "/v1/api-keys", site.wanted(days=days))

    assert (answer.status_code, answer.json()["code"]) == (422, "expiry-invalid")


@pytest.mark.parametrize(
    "change",
    [
        {"roles": []},
        {"roles": ["root"]},
        {"kind": "person"},
        {"name": "A b"},
        {"expires_at": None},
        {"secret": "mine"},
        {"scope": {"environments": ["*"]}},
    ],
)
def test_nonsense_is_no_key(site, change):
    assert site.ask("POST", "/v1/api-keys", site.wanted() | change).status_code == 422


@pytest.mark.parametrize("scope", [None, {"environments": ["dev", "prod"]}, {"services": ["checkout"]}])
def test_nobody_gives_a_key_a_wider_scope_than_their_own(site, scope):
    mine = Scope(environments=("dev",))
    given = {} if scope is None else {"scope": scope}

    answer = site.ask("POST", "/v1/api-keys", site.wanted(**given), by="eve", scope=mine)

    assert (answer.status_code, answer.json()["code"]) == (403, "grant-exceeded")
    assert site.events("AccessRefused", actor_id="eve")[0]["body"]["reason"] == "grant-exceeded"
    narrow = site.wanted(scope={"environments": ["dev"]})
    assert site.ask("POST", "/v1/api-keys", narrow, by="eve", scope=mine).status_code == 201


@pytest.mark.parametrize("role", ["operator", "sre", "auditor", "security", "service"])
def test_only_an_admin_makes_keys(site, role):
    assert site.ask("POST", "/v1/api-keys", site.wanted(), by="mallory", role=role).status_code == 403


def test_another_tenant_s_key_is_as_unknown_as_one_that_never_was(site):
    key, _ = site.made(name="ours")
    answers = [
        site.ask(method, f"/v1/api-keys/{key_id}{verb}", body, tenant="initech")
        for method, verb, body in (("GET", "", None), ("POST", ":revoke", LEAKED), ("POST", ":rotate", {}))
        for key_id in (key["id"], "key_0")
    ]

    assert [answer.status_code for answer in answers] == [404] * 6
    assert {answer.json()["code"] for answer in answers} == {"api-key-not-found"}
    assert site.ask("GET", "/v1/api-keys", tenant="initech").json()["data"] == []


def test_a_database_that_is_away_answers_503_and_never_401(site):
    _, text = site.made(name="patient")
    away = site.another_process("postgresql://nobody@127.0.0.1:9/nothing")

    answer = me(site, text, http=make_http(away, ROUTERS))

    assert answer.status_code == 503
    assert "retry-after" in answer.headers


def rotated(site, older, **how):
    whose = {name: how.pop(name) for name in ("by", "role", "scope", "key") if name in how}
    return site.ask("POST", f"/v1/api-keys/{older['id']}:rotate", how, **whose)


def test_a_key_that_is_rotated_ends_at_once_and_its_successor_may_do_the_same(site):
    key, text = site.made(name="old", roles=("operator", "viewer"), scope={"environments": ["dev"]})

    answer = rotated(site, key, by="grace")

    successor = answer.json()["key"]
    assert (answer.status_code, answer.headers["location"]) == (201, f"/v1/api-keys/{successor['id']}")
    same = ("name", "kind", "roles", "scope", "expires_at")
    assert [successor[name] for name in same] == [key[name] for name in same]
    assert (successor["replaces"], successor["created_by"]) == (key["id"], "grace")
    assert [me(site, each).status_code for each in (text, answer.json()["text"])] == [401, 200]
    former = site.ask("GET", f"/v1/api-keys/{key['id']}").json()
    assert (former["replaced_by"], former["revoked_by"]) == (successor["id"], "grace")
    (fact,) = site.events("ApiKeyRotated", stream=key["id"])
    assert (fact["actor"], fact["body"]["replaced_by"]) == ("grace", successor["id"])
    assert site.events("ApiKeyCreated", stream=successor["id"])[0]["body"]["replaces"] == key["id"]


def test_both_keys_hold_while_they_overlap_and_then_the_younger_alone(site):
    key, text = site.made(name="overlapping", days=3)

    second = rotated(site, key, overlap_s=3600).json()["text"]

    assert [me(site, each).status_code for each in (text, second)] == [200, 200]
    site.clock.move(timedelta(seconds=3600))
    assert [me(site, each).status_code for each in (text, second)] == [401, 200]


def test_an_overlap_makes_no_key_last_longer_than_it_would_have(site):
    key, _ = site.made(name="ending", days=1)
    until = (site.clock.now() + timedelta(days=90)).isoformat()

    successor = rotated(site, key, overlap_s=604_800, expires_at=until).json()["key"]

    assert site.ask("GET", f"/v1/api-keys/{key['id']}").json()["expires_at"] == key["expires_at"]
    assert successor["expires_at"] > key["expires_at"]


def test_a_key_has_one_successor_and_one_that_is_over_has_none(site):
    followed, _ = site.made(name="followed")
    revoked, _ = site.made(name="revoked")
    rotated(site, followed, overlap_s=60)
    site.ask("POST", f"/v1/api-keys/{revoked['id']}:revoke", LEAKED)

    answers = [rotated(site, key) for key in (followed, revoked)]

    assert [(answer.status_code, answer.json()["code"]) for answer in answers] == [(409, "api-key-over")] * 2


def test_nobody_rotates_a_key_to_more_than_they_could_make(site):
    wide, text = site.made(name="wide", roles=("admin",))
    narrow, _ = site.made(name="narrow", scope={"environments": ["dev"]})
    mine = Scope(environments=("dev",))
    too_long = (site.clock.now() + timedelta(days=366)).isoformat()

    refused = [
        rotated(site, wide, by="sam", role="security"),
        rotated(site, wide, key=text),
        rotated(site, wide, by="eve", scope=mine),
        rotated(site, narrow, expires_at=too_long),
        rotated(site, narrow, overlap_s=604_801),
    ]

    said = [(answer.status_code, answer.json()["code"]) for answer in refused]
    assert said == [
        (403, "role-required"),
        (403, "person-required"),
        (404, "api-key-not-found"),
        (422, "expiry-invalid"),
        (422, "invalid-request"),
    ]
    assert me(site, text).status_code == 200
    assert rotated(site, narrow, by="eve", scope=mine).status_code == 201
