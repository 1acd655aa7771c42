"""Playbooks and runbooks over HTTP: versions that never change, and who may make them."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import text

SPEC = {"steps": [{"say": "drain"}, {"say": "restart"}], "wait_s": 1.5, "paged": True}
NEW = {
    "playbooks": {"name": "Restart a queue", "tags": ["queue", "prod"], "spec": SPEC},
    "runbooks": {
        "service": "billing",
        "name": "Restart a queue",
        "tags": ["queue"],
        "body": "# Drain\n\n\tthen *restart*",
        "spec": SPEC,
    },
}
KINDS = sorted(NEW)


def made(ask, kind, **changed):
    answer = ask("POST", f"/v1/{kind}", {**NEW[kind], **changed})
    assert answer.status_code == 201, answer.text
    return answer


def told(answer):
    return answer.status_code, answer.json()["code"]


@pytest.mark.parametrize("kind", KINDS)
def test_a_document_lives_in_versions_that_stay(ask, kind):
    new = made(ask, kind)
    path = new.headers["location"]
    first = ask("GET", path)
    assert path == f"/v1/{kind}/{new.json()['id']}"
    assert (first.json(), first.headers["etag"]) == (new.json(), new.headers["etag"])
    assert {**first.json(), **NEW[kind]} == first.json()
    assert (first.json()["version"], first.json()["created_by"]) == (1, "ada")

    second = ask(
        "PATCH", path, {"tags": ["queue", "all"], "spec": {"wait_s": None}}, seen=first.headers["etag"], by="bob"
    )
    assert ask("GET", path).json() == second.json()
    assert (second.json()["version"], second.json()["updated_by"], second.json()["created_by"]) == (2, "bob", "ada")
    assert second.json()["spec"] == {name: value for name, value in SPEC.items() if name != "wait_s"}

    said = [ask("GET", f"{path}/versions/{number}").json() for number in (1, 2)]
    assert [(each["version"], each["created_by"], each["digest"]) for each in said] == [
        (1, "ada", first.json()["digest"]),
        (2, "bob", second.json()["digest"]),
    ]
    assert (said[0]["spec"], said[0]["tags"]) == (SPEC, NEW[kind]["tags"])
    assert [[each["version"] for each in page] for page in ask.pages(f"{path}/versions?limit=1")] == [[2], [1]]
    assert told(ask("GET", f"{path}/versions/3")) == (404, "document-version-not-found")

    gone = ask("DELETE", path, seen=second.headers["etag"], role="sre")
    assert (gone.status_code, gone.content) == (204, b"")
    for missing in (path, f"{path}/versions", f"{path}/versions/1"):
        assert told(ask("GET", missing)) == (404, f"{kind[:-1]}-not-found")
    assert ask("GET", f"/v1/{kind}").json()["data"] == []
    assert ask.happened(new.json()["id"]) == ["DocumentCreated", "DocumentRevised", "DocumentDeleted"]
    assert made(ask, kind).json()["version"] == 1


def test_versions_of_what_was_deleted_stay_as_evidence_and_nobody_can_change_them(ask, app):
    new = made(ask, "runbooks")
    ask("DELETE", new.headers["location"], seen="*", role="admin")

    with app.engine.connect() as connection:
        connection.execute(text("SELECT set_config('carapulse.tenant', :tenant, false)"), {"tenant": ask.tenant})
        kept = connection.execute(text("SELECT version, digest FROM knowledge_versions")).all()
        may = connection.execute(
            text("SELECT has_table_privilege('knowledge_versions', 'UPDATE, DELETE')")
        ).scalar_one()

    assert kept == [(1, new.json()["digest"])]
    assert not may


@pytest.mark.parametrize("kind", KINDS)
def test_a_name_is_taken_once_for_each_tenant(ask, kind):
    made(ask, kind)

    assert told(ask("POST", f"/v1/{kind}", NEW[kind])) == (409, "name-taken")
    assert ask("POST", f"/v1/{kind}", NEW[kind], tenant="rival").status_code == 201


def test_two_services_may_have_runbooks_of_one_name_and_a_playbook_has_it_too(ask):
    made(ask, "runbooks")
    made(ask, "playbooks")

    assert made(ask, "runbooks", service="search").json()["version"] == 1


def test_one_of_many_who_take_a_name_at_once_gets_it(ask):
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: ask("POST", "/v1/playbooks", NEW["playbooks"]), range(8)))

    assert sorted(answer.status_code for answer in answers) == [201] + [409] * 7
    assert {answer.json()["code"] for answer in answers if answer.status_code == 409} == {"name-taken"}


@pytest.mark.parametrize("kind", KINDS)
def test_many_who_make_versions_at_once_make_them_one_after_the_other(ask, kind):
    path = made(ask, kind).headers["location"]

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda n: ask("PATCH", path, {"tags": [f"writer-{n}"]}, seen="*"), range(16)))

    assert {answer.status_code for answer in answers} == {200}
    assert sorted(answer.json()["version"] for answer in answers) == list(range(2, 18))
    versions = [each for page in ask.pages(f"{path}/versions?limit=5") for each in page]
    assert [each["version"] for each in versions] == list(range(17, 0, -1))
    assert {each["tags"][0] for each in versions[:-1]} == {f"writer-{n}" for n in range(16)}


def test_one_of_many_who_change_what_they_read_changes_it(ask):
    new = made(ask, "runbooks")
    path, etag = new.headers["location"], new.headers["etag"]

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda n: ask("PATCH", path, {"body": f"by {n}"}, seen=etag), range(8)))

    assert sorted(answer.status_code for answer in answers) == [200] + [412] * 7
    assert ask("GET", path).json()["version"] == 2


@pytest.mark.parametrize("method", ["PATCH", "DELETE"])
def test_a_change_names_what_was_read(ask, method):
    path = made(ask, "playbooks").headers["location"]
    body = {"PATCH": {"tags": ["other"]}}.get(method)

    assert told(ask(method, path, body, role="sre")) == (428, "precondition-required")
    assert told(ask(method, path, body, seen='"old"', role="sre")) == (412, "precondition-failed")
    assert ask("GET", path).json()["version"] == 1


def test_a_patch_that_changes_nothing_makes_no_version_and_true_is_not_one(ask):
    new = made(ask, "playbooks", spec={"paged": True})
    path = new.headers["location"]

    assert ask("PATCH", path, {"spec": {"paged": True}}, seen="*").json() == new.json()
    assert ask("PATCH", path, {"spec": {"paged": 1}}, seen="*").json()["version"] == 2


def test_documents_are_listed_by_name_in_pages_and_found_by_what_is_known_of_them(ask):
    for number, name in enumerate(["Ünder", "restart", "Restart a node", "Restart b", "drain"]):
        made(ask, "runbooks", name=name, service=f"s{number % 2}", tags=["odd"] if number % 2 else ["even", "more"])

    def names(query):
        return [[each["name"] for each in page] for page in ask.pages(f"/v1/runbooks{query}")]

    assert names("?limit=2") == [["Restart a node", "Restart b"], ["drain", "restart"], ["Ünder"]]
    assert names("?q=Restart") == [["Restart a node", "Restart b"]]
    assert names("?q=%C3%9C") == [["Ünder"]]
    assert names("?name=restart") == [["restart"]]
    assert names("?service=s1&limit=1") == [["Restart b"], ["restart"]]
    assert names("?tag=more&limit=1") == [["Restart a node"], ["drain"], ["Ünder"]]
    assert names("?tag=nothing") == [[]]
    assert set(ask("GET", "/v1/runbooks?limit=1").json()["data"][0]) == {
        "id",
        "service",
        "name",
        "version",
        "tags",
        "digest",
        "created_at",
        "created_by",
        "updated_at",
        "updated_by",
    }


@pytest.mark.parametrize("kind", KINDS)
def test_another_tenant_finds_what_does_not_exist(ask, kind):
    new = made(ask, kind)
    path, nowhere = new.headers["location"], f"/v1/{kind}/{kind[:-1]}_0"

    for method, under in (("GET", ""), ("GET", "/versions"), ("GET", "/versions/1"), ("PATCH", ""), ("DELETE", "")):
        foreign, missing = (
            ask(method, each + under, {}, seen="*", role="admin", tenant="rival2") for each in (path, nowhere)
        )
        assert told(foreign) == told(missing) == (404, f"{kind[:-1]}-not-found")
        assert foreign.json()["detail"] == missing.json()["detail"]
    assert ask("GET", f"/v1/{kind}", tenant="rival2").json()["data"] == []
    assert ask("GET", path).json() == new.json()


def test_a_playbook_is_no_runbook(ask):
    playbook, runbook = made(ask, "playbooks").json(), made(ask, "runbooks").json()

    assert ask("GET", f"/v1/runbooks/{playbook['id']}").status_code == 404
    assert ask("DELETE", f"/v1/playbooks/{runbook['id']}", seen="*", role="admin").status_code == 404


@pytest.mark.parametrize("kind", KINDS)
def test_whoever_may_not_is_refused(ask, kind):
    path = made(ask, kind).headers["location"]

    for role in ("viewer", "approver", "auditor", "service", "agent"):
        assert ask("GET", path, role=role).status_code == 200
        assert told(ask("POST", f"/v1/{kind}", NEW[kind], role=role)) == (403, "role-required")
        assert ask("PATCH", path, {"tags": []}, seen="*", role=role).status_code == 403
        assert ask("DELETE", path, seen="*", role=role).status_code == 403
    assert ask("DELETE", path, seen="*", role="operator").status_code == 403


LONG = {
    "name": "x" * 201,
    "tags": [str(number) for number in range(33)],
    "body": "é" * 131_073,
    "spec": {"text": "x" * 65_536},
}
WRONG = [
    ("/name", {"name": "  "}),
    ("/name", {"name": LONG["name"]}),
    ("/name", {"name": "two\nlines"}),
    ("/name", {"name": "right\u202eleft"}),
    ("/service", {"service": ""}),
    ("/tags", {"tags": LONG["tags"]}),
    ("/tags", {"tags": ["twice", "twice"]}),
    ("/tags/0", {"tags": ["x" * 65]}),
    ("/tags/0", {"tags": [7]}),
    ("/body", {"body": LONG["body"]}),
    ("/body", {"body": "a bell \x07"}),
    ("/spec", {"spec": LONG["spec"]}),
    ("/spec", {"spec": [1]}),
    ("/spec", {"spec": {"large": 1e300}}),
    ("/owner", {"owner": "bob"}),
    ("/version", {"version": 7}),
]


@pytest.mark.parametrize(("pointer", "wrong"), WRONG, ids=[f"{at} {number}" for number, (at, _) in enumerate(WRONG)])
def test_what_is_wrong_is_named(ask, pointer, wrong):
    refused = ask("POST", "/v1/runbooks", {**NEW["runbooks"], **wrong})

    assert refused.status_code == 422, refused.text
    assert refused.json()["errors"][0]["pointer"] == pointer


def test_what_is_as_long_as_it_may_be_is_kept(ask):
    longest = {"name": "ü" * 200, "body": "é" * 131_072, "tags": ["x" * 64], "spec": {"text": "x" * 65_525}}

    path = made(ask, "runbooks", **longest).headers["location"]

    assert {**ask("GET", path).json(), **longest} == ask("GET", path).json()


@pytest.mark.parametrize(
    "wrong", [{"name": "other"}, {"body": "no"}, {"tags": "x"}, {"spec": 1}, {"spec": {"a": 1e300}}]
)
def test_a_patch_that_would_make_no_playbook_is_refused(ask, wrong):
    path = made(ask, "playbooks").headers["location"]

    refused = ask("PATCH", path, wrong, seen="*")

    assert told(refused) == (422, "patch-invalid")
    assert refused.json()["errors"][0]["pointer"].startswith(f"/{next(iter(wrong))}")
    assert ask("GET", path).json()["version"] == 1


def test_nested_too_deeply_or_asked_in_words_that_are_not_known_is_refused(ask):
    deep: dict[str, object] = {}
    for _ in range(31):
        deep = {"in": deep}
    made(ask, "playbooks", spec=deep)

    assert ask("POST", "/v1/playbooks", {"name": "deeper", "spec": {"in": deep}}).status_code == 422
    assert ask("GET", "/v1/playbooks?service=billing").status_code == 422
    assert ask("GET", "/v1/runbooks?tags=x").status_code == 422
    assert ask("GET", f"/v1/runbooks?q={'x' * 201}").status_code == 422
    for number in ("0", "-1", "x", "9999999999"):
        assert ask("GET", f"/v1/playbooks/playbook_0/versions/{number}").status_code == 422


def test_a_version_that_was_altered_is_named(ask, app):
    path = made(ask, "playbooks").headers["location"]
    with app.database.as_superuser() as connection:
        connection.run("UPDATE knowledge_versions SET spec = '{}' WHERE tenant = :tenant", tenant=ask.tenant)

    answer = ask("GET", path)

    assert (answer.status_code, answer.json()["code"], answer.json()["table"]) == (
        500,
        "corrupt-row",
        "knowledge_versions",
    )
