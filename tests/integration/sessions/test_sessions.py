"""Sessions over HTTP: who takes part sees them, who owns them changes them, and nobody lets themselves in."""

from concurrent.futures import ThreadPoolExecutor
from urllib.parse import quote

import pytest
from sqlalchemy import text

NEW = {"name": "The outage of Tuesday", "group": "incidents", "metadata": {"ticket": "INC-7"}}
ABSENT = {"if-none-match": "*"}


@pytest.fixture
def path(ask):
    """Begin a session of ada's with bob as its viewer, and return its path."""
    begun = made(ask)
    assert put(ask, f"{begun.headers['location']}/members/bob", "viewer").status_code == 201
    return begun.headers["location"]


def made(ask, *, by="ada", **changed):
    answer = ask("POST", "/v1/sessions", {**NEW, **changed}, by=by)
    assert answer.status_code == 201, answer.text
    return answer


def put(ask, path, membership, *, seen=None, **who):
    return ask("PUT", path, {"role": membership}, seen=seen, **({} if seen else ABSENT), **who)


def told(answer):
    return answer.status_code, answer.json()["code"]


def test_a_session_is_begun_changed_and_ended(ask):
    new = made(ask)
    path = new.headers["location"]
    read = ask("GET", path)
    assert {**read.json(), **NEW, "created_by": "ada"} == read.json() == new.json()
    assert read.headers["etag"] == new.headers["etag"]
    (owner,) = ask("GET", f"{path}/members").json()["data"]
    assert (owner["member_id"], owner["role"], owner["added_by"]) == ("ada", "owner", "ada")

    changed = ask("PATCH", path, {"name": "Over", "group": None}, seen=read.headers["etag"])
    assert (changed.json()["name"], changed.json()["group"], changed.json()["metadata"]) == (
        "Over",
        None,
        NEW["metadata"],
    )
    assert ask("GET", path).json() == changed.json()
    assert told(ask("PATCH", path, {"name": "x"}, seen=read.headers["etag"])) == (412, "precondition-failed")
    assert told(ask("PATCH", path, {"name": "x"})) == told(ask("DELETE", path)) == (428, "precondition-required")

    assert ask("DELETE", path, seen=changed.headers["etag"]).status_code == 204
    for gone in (ask("GET", path), ask("GET", f"{path}/members"), ask("DELETE", path, seen="*", role="admin")):
        assert told(gone) == (404, "session-not-found")
    happened = ["SessionCreated", "MemberAdded", "SessionChanged", "SessionDeleted"]
    assert ask.happened(new.json()["id"]) == happened


def test_who_took_part_in_a_session_goes_with_it(ask, app, path):
    ask("DELETE", path, seen="*")

    with app.engine.connect() as connection:
        connection.execute(text("SELECT set_config('carapulse.tenant', :tenant, false)"), {"tenant": ask.tenant})
        assert connection.execute(text("SELECT count(*) FROM session_members")).scalar_one() == 0


def test_members_come_change_and_go(ask, path):
    member = f"{path}/members/{quote('auth0|bob/1@x.org', safe='')}"
    added = put(ask, member, "viewer")
    assert (added.status_code, added.json()["member_id"], added.json()["role"]) == (201, "auth0|bob/1@x.org", "viewer")
    assert ask("GET", member).headers["etag"] == added.headers["etag"]

    changed = put(ask, member, "editor", seen=added.headers["etag"])
    assert (changed.status_code, changed.json()["role"]) == (200, "editor")
    assert told(put(ask, member, "owner", seen=added.headers["etag"])) == (412, "precondition-failed")
    assert told(put(ask, member, "owner")) == (412, "precondition-failed")
    assert told(ask("PUT", member, {"role": "owner"})) == (428, "precondition-required")
    assert put(ask, member, "editor", seen="*").json() == changed.json()
    pages = ask.pages(f"{path}/members?limit=2")
    assert [[each["member_id"] for each in page] for page in pages] == [["ada", "auth0|bob/1@x.org"], ["bob"]]

    assert told(ask("DELETE", member)) == (428, "precondition-required")
    assert ask("DELETE", member, seen=changed.headers["etag"]).status_code == 204
    assert told(ask("GET", member)) == told(ask("DELETE", member, seen="*")) == (404, "member-not-found")
    happened = ask.happened(path.rpartition("/")[2])
    assert happened == ["SessionCreated", *["MemberAdded"] * 3, "MemberChanged", "MemberRemoved"]


@pytest.mark.parametrize("role", ["viewer", "operator", "sre", "approver", "security"])
def test_who_takes_no_part_sees_no_session_and_does_not_let_themselves_in(ask, path, role):
    nowhere = "/v1/sessions/session_0"
    asked = [("GET", ""), ("GET", "/members"), ("GET", "/members/ada")]
    if role in {"operator", "sre"}:
        asked += [("PATCH", ""), ("DELETE", ""), ("DELETE", "/members/ada"), ("PUT", "/members/eve")]

    for method, under in asked:
        hidden, missing = (
            ask(method, at + under, {"role": "owner"}, seen="*", by="eve", role=role) for at in (path, nowhere)
        )
        assert told(hidden) == told(missing) == (404, "session-not-found")
        assert hidden.json()["detail"] == missing.json()["detail"]
    assert ask("GET", "/v1/sessions", by="eve", role=role).json()["data"] == []
    assert [each["member_id"] for each in ask("GET", f"{path}/members").json()["data"]] == ["ada", "bob"]


@pytest.mark.parametrize("membership", ["viewer", "editor"])
def test_who_takes_part_sees_a_session_and_only_its_owners_change_it(ask, path, membership):
    put(ask, f"{path}/members/bob", membership, seen="*")

    assert ask("GET", path, by="bob", role="viewer").json()["name"] == NEW["name"]
    for method, under, body in (
        ("PATCH", "", {"name": "mine"}),
        ("DELETE", "", None),
        ("PUT", "/members/bob", {"role": "owner"}),
        ("PUT", "/members/eve", {"role": "viewer"}),
        ("DELETE", "/members/ada", None),
    ):
        assert told(ask(method, path + under, body, seen="*", by="bob")) == (403, "not-an-owner")
        assert told(ask(method, path + under, body, seen="*", by="bob", role="viewer")) == (403, "role-required")
    assert ask("PUT", f"{path}/members/bob", {"role": "owner"}, seen="*").status_code == 200
    assert ask("PATCH", path, {"name": "ours"}, seen="*", by="bob").status_code == 200


def test_an_auditor_sees_every_session_and_an_administrator_changes_it(ask, path):
    for role in ("auditor", "admin"):
        assert ask("GET", path, by="root", role=role).status_code == 200
        assert len(ask("GET", "/v1/sessions", by="root", role=role).json()["data"]) == 1
    assert told(ask("PATCH", path, {"name": "x"}, seen="*", by="root", role="auditor")) == (403, "role-required")

    assert ask("PATCH", path, {"name": "x"}, seen="*", by="root", role="admin").json()["created_by"] == "ada"
    assert put(ask, f"{path}/members/root", "owner", by="root", role="admin").status_code == 201
    assert ask("DELETE", f"{path}/members/ada", seen="*", by="root", role="admin").status_code == 204
    assert told(ask("GET", path)) == (404, "session-not-found")


def test_a_session_keeps_an_owner(ask, path):
    owner = f"{path}/members/ada"

    for role in ("operator", "admin"):
        assert told(put(ask, owner, "editor", seen="*", role=role)) == (409, "last-owner")
        assert told(ask("DELETE", owner, seen="*", role=role)) == (409, "last-owner")
    assert put(ask, owner, "owner", seen="*").status_code == 200
    assert put(ask, f"{path}/members/bob", "owner", seen="*").status_code == 200
    assert put(ask, owner, "editor", seen="*").json()["role"] == "editor"
    assert told(ask("DELETE", f"{path}/members/bob", seen="*", by="bob")) == (409, "last-owner")


@pytest.mark.parametrize("_again", range(4))
def test_of_two_owners_who_leave_at_once_one_stays(ask, path, _again):
    put(ask, f"{path}/members/bob", "owner", seen="*")

    with ThreadPoolExecutor(2) as pool:
        left = list(pool.map(lambda who: ask("DELETE", f"{path}/members/{who}", seen="*", by=who), ("ada", "bob")))

    assert sorted(answer.status_code for answer in left) == [204, 409]


def test_sessions_are_listed_newest_first_to_who_takes_part(ask):
    for number, name in enumerate(["one", "two", "three", "four"]):
        made(ask, name=name, by="ada" if number else "bob", group="odd" if number % 2 else None)

    def names(query, **who):
        return [[each["name"] for each in page] for page in ask.pages(f"/v1/sessions{query}", **who)]

    assert names("?limit=2") == [["four", "three"], ["two"]]
    assert names("?group=odd") == [["four", "two"]]
    assert names("?group=odd&limit=1", role="admin", by="root") == [["four"], ["two"]]
    assert names("", by="bob") == [["one"]]
    assert names("", by="eve") == [[]]


def test_another_tenant_finds_what_does_not_exist(ask, path):
    for method, under, body in (
        ("GET", "", None),
        ("PATCH", "", {}),
        ("DELETE", "", None),
        ("GET", "/members", None),
        ("PUT", "/members/eve", {"role": "owner"}),
        ("DELETE", "/members/ada", None),
    ):
        foreign = ask(method, path + under, body, seen="*", role="admin", tenant="rival")
        missing = ask(method, "/v1/sessions/session_0" + under, body, seen="*", role="admin", tenant="rival")
        assert told(foreign) == told(missing) == (404, "session-not-found")
        assert foreign.json()["detail"] == missing.json()["detail"]
    assert ask("GET", "/v1/sessions", role="admin", tenant="rival").json()["data"] == []


@pytest.mark.parametrize(
    ("pointer", "wrong"),
    [
        ("/name", {"name": ""}),
        ("/name", {"name": "x" * 201}),
        ("/group", {"group": "x" * 201}),
        ("/metadata", {"metadata": {"x": "y" * 65_536}}),
        ("/owner_actor_id", {"owner_actor_id": "bob"}),
        ("/created_by", {"created_by": "bob"}),
    ],
)
def test_what_is_wrong_is_named(ask, pointer, wrong):
    refused = ask("POST", "/v1/sessions", {**NEW, **wrong})

    assert refused.status_code == 422
    assert refused.json()["errors"][0]["pointer"] == pointer


@pytest.mark.parametrize(
    ("member", "body"), [("eve", {"role": "king"}), ("eve", {}), ("%20", {"role": "viewer"}), ("", {"role": "viewer"})]
)
def test_a_member_that_is_none_is_refused(ask, path, member, body):
    assert ask("PUT", f"{path}/members/{member}", body, **ABSENT).status_code == 422


def test_a_minimal_session_is_read_as_it_was_begun(ask):
    path = ask("POST", "/v1/sessions", {"name": "bare"}).headers["location"]

    read = ask("GET", path).json()

    assert (read["group"], read["metadata"]) == (None, {})


def test_a_viewer_a_service_and_an_agent_begin_no_session(ask):
    for role in ("viewer", "auditor", "service", "agent"):
        assert told(ask("POST", "/v1/sessions", NEW, role=role)) == (403, "role-required")


def test_an_id_of_an_issuer_is_taken_as_it_is(ask, path):
    member = f"{path}/members/repo:acme/site:ref:refs/heads/main"

    assert put(ask, member, "viewer").json()["member_id"] == "repo:acme/site:ref:refs/heads/main"
    assert ask("GET", member).status_code == 200
    assert ask("POST", member, {}).headers["allow"] == "DELETE, GET, HEAD, PUT"
