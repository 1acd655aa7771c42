"""Collectors over HTTP: what may be put, by whom, and that nobody sees another tenant's."""

import pytest

BOARDS = {"system": "grafana", "context": {"environment": "dev"}, "every_s": 60}
NEW = {"if-none-match": "*"}


def faults(answer):
    assert answer.status_code == 422, answer.text
    return sorted((each["pointer"], each["code"]) for each in answer.json()["errors"])


def test_a_collector_is_made_changed_and_deleted_by_whoever_has_seen_it(desk):
    made = desk.ask("PUT", "/v1/collectors/boards", BOARDS, headers=NEW)
    again = desk.ask("PUT", "/v1/collectors/boards", BOARDS, headers=NEW)
    blind = desk.ask("PUT", "/v1/collectors/boards", BOARDS)
    tag = made.headers["etag"]
    same = desk.ask("PUT", "/v1/collectors/boards", BOARDS, headers={"if-match": tag})
    desk.minute()
    changed = desk.ask("PUT", "/v1/collectors/boards", {**BOARDS, "every_s": 120}, headers={"if-match": tag})
    late = desk.ask("PUT", "/v1/collectors/boards", BOARDS, headers={"if-match": tag})
    late_deletion = desk.ask("DELETE", "/v1/collectors/boards", headers={"if-match": tag})

    assert (made.status_code, made.headers["location"]) == (201, "/v1/collectors/boards")
    assert made.json()["enabled"] is True
    assert (again.status_code, blind.status_code, late.status_code, late_deletion.status_code) == (412, 428, 412, 412)
    assert (same.status_code, same.json()["revision"]) == (200, 1)
    assert (changed.status_code, changed.json()["revision"], changed.json()["status"]["state"]) == (200, 2, "ok")
    shown = desk.ask("GET", "/v1/collectors/boards")
    assert shown.headers["etag"] == changed.headers["etag"]
    assert shown.json() == changed.json()
    assert [kind for kind, _ in desk.happened("CollectorPut", "CollectorDeleted")] == ["CollectorPut", "CollectorPut"]


@pytest.mark.parametrize(
    ("terms", "found"),
    [
        ({"system": "toaster"}, [("/system", "unknown-system")]),
        ({"system": "git"}, [("/system", "unknown-system")]),
        ({"system": "kubectl"}, [("/context/cluster_id", "missing")]),
        ({"input": {"folders": ["f1"]}}, [("/input/folders", "unknown-field")]),
        ({"system": "kubectl", "input": {"namespaces": []}}, [("/context/cluster_id", "missing"), ("/input/namespaces", "min-items")]),
        ({"every_s": 59}, [("/every_s", "greater-than-equal")]),
        ({"every_s": "60"}, [("/every_s", "int-type")]),
        ({"enabled": "yes"}, [("/enabled", "bool-type")]),
        ({"context": {}}, [("/context/environment", "missing")]),
        ({"surprise": 1}, [("/surprise", "unknown-field")]),
    ],
    ids=str,
)  # fmt: skip
def test_terms_under_which_nothing_could_be_read_are_refused(desk, terms, found):
    assert faults(desk.ask("PUT", "/v1/collectors/boards", {**BOARDS, **terms}, headers=NEW)) == found
    assert desk.ask("GET", "/v1/collectors/boards").status_code == 404


@pytest.mark.parametrize("name", ["UPPER", "a--b", "x" * 64, "a%0Ab", "a%00"])
def test_a_name_that_no_source_could_have_is_refused(desk, name):
    assert desk.ask("PUT", f"/v1/collectors/{name}", BOARDS, headers=NEW).status_code in {400, 422}


def test_another_tenant_finds_and_changes_nothing_and_sees_nothing_of_what_is_said(desk):
    desk.put("boards", BOARDS)
    desk.minute()
    theirs = {"tenant": "rival", "by": "mallory"}

    for method, path in (("GET", ""), ("POST", ":run"), ("DELETE", "")):
        headers = {"if-match": "*"} if method == "DELETE" else {}
        answer = desk.ask(method, f"/v1/collectors/boards{path}", headers=headers, **theirs)
        assert (answer.status_code, answer.json()["code"]) == (404, "collector-not-found")

    assert desk.ask("GET", "/v1/collectors", **theirs).json()["data"] == []
    assert desk.nodes("rival") == {}
    assert desk.status("boards")["state"] == "ok"


def test_they_are_listed_by_name_in_pages_and_by_system(desk):
    for name in ("c", "a", "b"):
        desk.put(name, {**BOARDS, "enabled": name != "b"})

    first = desk.ask("GET", "/v1/collectors", params={"limit": 2})
    rest = desk.ask("GET", "/v1/collectors", params={"limit": 2, "cursor": first.json()["next_cursor"]})
    off = desk.ask("GET", "/v1/collectors", params={"enabled": "false"})
    others = desk.ask("GET", "/v1/collectors", params={"system": "helm"})

    listed = [[each["name"] for each in page.json()["data"]] for page in (first, rest, off, others)]
    assert listed == [["a", "b"], ["c"], ["b"], []]


def test_who_looks_can_t_change_and_who_operates_may_ask_for_a_run(desk):
    desk.put("boards", BOARDS)

    def codes(role):
        return [
            desk.ask("GET", "/v1/collectors/boards", role=role).status_code,
            desk.ask("POST", "/v1/collectors/boards:run", role=role).status_code,
            desk.ask("PUT", "/v1/collectors/boards", BOARDS, headers={"if-match": "*"}, role=role).status_code,
        ]

    assert codes("viewer") == [200, 403, 403]
    assert codes("operator") == [200, 202, 403]
    assert codes("sre") == [200, 202, 200]
    assert codes("collector") == [403, 403, 403]
    assert desk.happened("CollectionAsked") == [("CollectionAsked", "ada"), ("CollectionAsked", "ada")]


def test_asking_for_a_run_answers_before_it_is_made(desk, boards):
    desk.put("boards", BOARDS)
    asked = []
    boards.meanwhile = lambda: asked.append("asked")

    answer = desk.ask("POST", "/v1/collectors/boards:run")

    assert (answer.status_code, answer.json()["status"]["state"], asked) == (202, "never", [])
    desk.workers.run_until_idle()
    assert asked
    assert desk.status("boards")["state"] == "ok"
