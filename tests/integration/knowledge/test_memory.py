"""Memory over HTTP: who wrote something down keeps it, and everybody of the tenant reads it."""

import pytest

NEW = {
    "title": "The queue of billing",
    "body": "It fills up on the first.",
    "tags": ["billing"],
    "metadata": {"seen": 3},
}


def made(ask, *, by="ada", role="operator", **changed):
    answer = ask("POST", "/v1/memory", {**NEW, **changed}, by=by, role=role)
    assert answer.status_code == 201, answer.text
    return answer


def told(answer):
    return answer.status_code, answer.json()["code"]


def test_a_memory_is_kept_changed_and_forgotten(ask):
    new = made(ask)
    path = new.headers["location"]
    read = ask("GET", path, by="carl", role="viewer")
    assert {**read.json(), **NEW, "owner": "ada"} == read.json() == new.json()
    assert read.headers["etag"] == new.headers["etag"]

    changed = ask("PATCH", path, {"body": "No more.", "metadata": {"seen": None}}, seen=read.headers["etag"])
    assert (changed.json()["body"], changed.json()["metadata"], changed.json()["title"]) == (
        "No more.",
        {},
        NEW["title"],
    )
    assert ask("GET", path).json() == changed.json()
    assert told(ask("PATCH", path, {"body": "x"}, seen=read.headers["etag"])) == (412, "precondition-failed")
    assert told(ask("PATCH", path, {"body": "x"})) == told(ask("DELETE", path)) == (428, "precondition-required")
    assert ask("PATCH", path, {"body": "No more."}, seen="*").headers["etag"] == changed.headers["etag"]

    assert ask("DELETE", path, seen=changed.headers["etag"]).status_code == 204
    for answer in (ask("GET", path), ask("PATCH", path, {}, seen="*"), ask("DELETE", path, seen="*")):
        assert told(answer) == (404, "memory-not-found")
    assert ask.happened(new.json()["id"]) == ["MemoryKept", "MemoryChanged", "MemoryForgotten"]


def test_nobody_but_its_owner_and_an_administrator_changes_a_memory(ask):
    path = made(ask).headers["location"]

    for role in ("operator", "sre"):
        assert told(ask("PATCH", path, {"body": "x"}, seen="*", by="bob", role=role)) == (403, "not-your-memory")
        assert told(ask("DELETE", path, seen="*", by="bob", role=role)) == (403, "not-your-memory")
    for role in ("viewer", "auditor", "service"):
        assert told(ask("PATCH", path, {"body": "x"}, seen="*", role=role)) == (403, "role-required")
        assert told(ask("POST", "/v1/memory", NEW, role=role)) == (403, "role-required")
    assert ask("PATCH", path, {"body": "x"}, seen="*", by="root", role="admin").json()["owner"] == "ada"
    assert ask("DELETE", path, seen="*", by="root", role="admin").status_code == 204


def test_an_agent_writes_memory_down_and_forgets_none(ask):
    path = made(ask, by="planner", role="agent").headers["location"]

    assert ask("PATCH", path, {"body": "x"}, seen="*", by="planner", role="agent").status_code == 200
    assert told(ask("DELETE", path, seen="*", by="planner", role="agent")) == (403, "role-required")


@pytest.mark.parametrize("owner", [{"owner": "bob"}, {"owner_actor_id": "bob"}, {"tenant": "rival"}])
def test_the_owner_and_the_tenant_come_from_the_token(ask, owner):
    path = made(ask).headers["location"]

    refused = ask("POST", "/v1/memory", {**NEW, **owner})
    assert refused.json()["errors"] == [
        {"pointer": f"/{next(iter(owner))}", "code": "unknown-field", "detail": "Extra inputs are not permitted"}
    ]
    assert told(ask("PATCH", path, owner, seen="*")) == (422, "patch-invalid")
    assert ask("GET", path).json()["owner"] == "ada"


def test_memories_are_listed_newest_first_and_found_by_what_is_known_of_them(ask):
    for number, title in enumerate(["one", "two", "Two and a half", "three"]):
        made(ask, title=title, by=f"who{number % 2}", tags=["even"] if number % 2 == 0 else ["odd", "loud"])

    def titles(query):
        return [[each["title"] for each in page] for page in ask.pages(f"/v1/memory{query}")]

    assert titles("?limit=3") == [["three", "Two and a half", "two"], ["one"]]
    assert titles("?owner=who1&limit=1") == [["three"], ["two"]]
    assert titles("?tag=even") == [["Two and a half", "one"]]
    assert titles("?q=Two") == [["Two and a half"]]
    assert titles("?q=t&tag=loud&owner=who1") == [["three", "two"]]
    assert not {"body", "metadata"} & set(ask("GET", "/v1/memory").json()["data"][0])


def test_another_tenant_can_neither_see_nor_change_nor_take_a_memory(ask):
    new = made(ask)

    for method, body in (("GET", None), ("PATCH", {"body": "x"}), ("DELETE", None)):
        foreign, missing = (
            ask(method, f"/v1/memory/{each}", body, seen="*", role="admin", tenant="rival")
            for each in (new.json()["id"], "memory_0")
        )
        assert told(foreign) == told(missing) == (404, "memory-not-found")
        assert foreign.json()["detail"] == missing.json()["detail"]
    assert ask("GET", "/v1/memory", tenant="rival").json()["data"] == []
    assert ask("GET", new.headers["location"]).json() == new.json()


@pytest.mark.parametrize(
    ("pointer", "wrong"),
    [
        ("/title", {"title": ""}),
        ("/title", {"title": "x" * 201}),
        ("/body", {"body": "x" * 262_145}),
        ("/body", {"body": None}),
        ("/tags", {"tags": ["a"] * 33}),
        ("/metadata", {"metadata": {"x": "y" * 65_536}}),
        ("/metadata", {"metadata": "x"}),
    ],
)
def test_what_is_wrong_is_named(ask, pointer, wrong):
    refused = ask("POST", "/v1/memory", {**NEW, **wrong})

    assert refused.status_code == 422
    assert refused.json()["errors"][0]["pointer"] == pointer


def test_a_minimal_memory_is_read_as_it_was_written(ask):
    path = ask("POST", "/v1/memory", {"title": "bare"}).headers["location"]

    read = ask("GET", path).json()

    assert (read["body"], read["tags"], read["metadata"]) == ("", [], {})
